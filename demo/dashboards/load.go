package dashboards

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"fintrans/grafana"
)

// Kind is the folder of the files for a generation of Grafana.
type Kind string

// The kinds.
const (
	Grafana5 Kind = "5"       // Grafana 5.0 to 8.2
	Current  Kind = "current" // Grafana from 8.3 on
)

// Dashboard is one as the viewer sees it.
type Dashboard struct {
	Kind        Kind
	UID, Title  string
	Description string
	Range       Range // that of the file
	Variables   []Variable
	Annotations []string // queries
	Panels      []Panel
}

// Variable is a value that the viewer chooses.
type Variable struct {
	Name, Label string
	Query       string   // of a variable whose values come from InfluxDB
	Values      []string // of the others
	Chosen      string   // by the file; AllValues or one of the values
	Multi       bool
}

// AllValues stands for all values of a variable, in the files and in addresses.
const AllValues = "$__all"

// Shape is what a panel draws.
type Shape int

// The shapes.
const (
	Graph Shape = iota
	Stat
	Table
	Text
)

// Panel is a part of a dashboard.
type Panel struct {
	ID                 int
	Shape              Shape
	Title, Description string
	Content            string // of a text
	Queries            []Query
	Unit               string
	Decimals           int
	Stacked, Percent   bool
	Bars               bool
	Empty              string   // of a stat: what to show where there is no value
	Columns            []Column // of a table, those with settings of their own
	Link               string   // of a table's rows
	X, Y, Width        int
	Height             int
}

// Query is one of a panel's.
type Query struct {
	RefID, Text, Alias string
	Table              bool
}

// Column is how the column of a table is shown.
type Column struct {
	Name     string
	Hidden   bool
	Decimals int
}

// Load reads all dashboards of the kind from the files of grafana/.
func Load(kind Kind) ([]Dashboard, error) {
	names, err := fs.Glob(grafana.Files, path.Join("dashboards", string(kind), "*.json"))
	if err != nil {
		return nil, err
	}
	var found []Dashboard
	for _, name := range names {
		d, err := loadFile(kind, name)
		if err != nil {
			return nil, fmt.Errorf("dashboard file grafana/%s: %w", name, err)
		}
		found = append(found, d)
	}
	return found, nil
}

func loadFile(kind Kind, name string) (Dashboard, error) {
	text, err := grafana.Files.ReadFile(name)
	if err != nil {
		return Dashboard{}, err
	}
	var f file
	if err := json.Unmarshal(text, &f); err != nil {
		return Dashboard{}, err
	}
	d := Dashboard{
		Kind: kind, UID: f.UID, Title: f.Title, Description: f.Description,
		Range: Range{From: f.Time.From, To: f.Time.To},
	}
	for _, a := range f.Annotations.List {
		d.Annotations = append(d.Annotations, a.Query)
	}
	for _, v := range f.Templating.List {
		d.Variables = append(d.Variables, v.variable())
	}
	for _, p := range f.Panels {
		panel, err := p.panel()
		if err != nil {
			return Dashboard{}, fmt.Errorf("panel %d: %w", p.ID, err)
		}
		d.Panels = append(d.Panels, panel)
	}
	return d, nil
}

// Find returns the dashboard with the uid.
func Find(all []Dashboard, uid string) (Dashboard, bool) {
	i := slices.IndexFunc(all, func(d Dashboard) bool { return d.UID == uid })
	if i < 0 {
		return Dashboard{}, false
	}
	return all[i], true
}

// Panel returns the panel with the title.
func (d Dashboard) Panel(title string) (Panel, bool) {
	i := slices.IndexFunc(d.Panels, func(p Panel) bool { return p.Title == title })
	if i < 0 {
		return Panel{}, false
	}
	return d.Panels[i], true
}

// Slug is the readable part of the dashboard's address.
func (d Dashboard) Slug() string { return strings.ReplaceAll(strings.ToLower(d.Title), " ", "-") }
