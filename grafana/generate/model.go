package main

import "strings"

// dashboard is what both kinds of files are made from.
type dashboard struct {
	uid, title, description string
	from                    string // beginning of the time range; the end is now
	variables               []variable
	alerts                  string // query of the annotations: columns Total and Cities
	panels                  []panel
}

// slug is the readable part of the dashboard's address, as Grafana makes it from the title.
func (d dashboard) slug() string {
	return strings.ReplaceAll(strings.ToLower(d.title), " ", "-")
}

// file is the name of the dashboard's file.
func (d dashboard) file() string { return strings.TrimPrefix(d.uid, "fintrans-") + ".json" }

// variable is a value that the viewer chooses and that queries refer to as $name.
type variable struct {
	name, label string
	kind        variableKind
	query       string // of a lookup
	values      []string
	chosen      string // of an interval, one of the values
}

type variableKind int

const (
	choice   variableKind = iota // several of the values, all at first
	interval                     // one of the values, all durations
	lookup                       // one of those that a query finds
)

// panel is a picture, a number, a table or a text.
type panel struct {
	kind               panelKind
	title, description string
	width, height      int // in 24ths of the width, and in Grafana's rows
	queries            []query
	unit               string // in Grafana's words; empty is a plain number
	decimals           int    // of a stat
	stack              stacking
	style              drawing
	empty              string   // of a stat: what no value means
	columns            []column // of a table, in the order of the answer: time, tags, fields
	link               string   // of a table's rows; {Name} is the row's value in that column
	text               string
}

type panelKind int

const (
	graph panelKind = iota
	stat
	table
	text
)

type stacking int

const (
	separate stacking = iota
	stacked
	percent
)

type drawing int

const (
	lines  drawing = iota // connected over intervals without a value
	bars                  // a bar for each interval
	points                // a line with each of its points
)

// query is a statement and how its series are called: $tag_NAME is the value of a tag.
type query struct {
	text, legend string
}

// column is one of a table.
type column struct {
	name   string
	format columnFormat
}

type columnFormat int

const (
	asText columnFormat = iota
	asTime
	asNumber   // without decimals
	asFraction // with two decimals
	hidden     // needed by the link alone
)

// replaceColumns replaces each {Name} of a link.
func replaceColumns(link string, columns []column, with func(index int, c column) string) string {
	for i, c := range columns {
		link = strings.ReplaceAll(link, "{"+c.name+"}", with(i, c))
	}
	return link
}

// place is where a panel is, in units of Grafana's grid.
type place struct {
	H int `json:"h"`
	W int `json:"w"`
	X int `json:"x"`
	Y int `json:"y"`
}

// places puts the panels in rows of 24 units, in their order.
func places(panels []panel) []place {
	found := make([]place, len(panels))
	x, y, height := 0, 0, 0
	for i, p := range panels {
		if x+p.width > 24 {
			x, y, height = 0, y+height, 0
		}
		found[i] = place{H: p.height, W: p.width, X: x, Y: y}
		x += p.width
		height = max(height, p.height)
	}
	return found
}

// refID names a panel's queries: A, B and so on.
func refID(i int) string { return string(rune('A' + i)) }
