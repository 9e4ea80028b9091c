package main

import "strconv"

const (
	alertColor = "#e02f44"
	linkTitle  = "Show the transfers behind this alert"
)

// dashboardNow is a dashboard as Grafana from 8.3 on reads it. Types that are the same as in Grafana 5 are shared.
type dashboardNow struct {
	UID           string       `json:"uid"`
	Title         string       `json:"title"`
	Description   string       `json:"description"`
	Tags          []string     `json:"tags"`
	SchemaVersion int          `json:"schemaVersion"`
	Editable      bool         `json:"editable"`
	Refresh       string       `json:"refresh"`
	Time          timeRange    `json:"time"`
	Links         []navigation `json:"links"`
	Annotations   struct {
		List []annotationNow `json:"list"`
	} `json:"annotations"`
	Templating struct {
		List []variableNow `json:"list"`
	} `json:"templating"`
	Panels []panelNow `json:"panels"`
}

// sourceRef names the data source.
type sourceRef struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

// annotationNow has the query twice: Grafana up to 9 reads it from the annotation itself, later ones from the target.
// Without a column for the tags, which has to be a text, some versions take every column for one and fail.
type annotationNow struct {
	Name       string           `json:"name"`
	Datasource sourceRef        `json:"datasource"`
	Enable     bool             `json:"enable"`
	IconColor  string           `json:"iconColor"`
	Query      string           `json:"query"`
	TextColumn string           `json:"textColumn"`
	TagsColumn string           `json:"tagsColumn"`
	Target     annotationTarget `json:"target"`
}

type annotationTarget struct {
	RefID           string `json:"refId"`
	FromAnnotations bool   `json:"fromAnnotations"`
	Name            string `json:"name"`
	Query           string `json:"query"`
	TextColumn      string `json:"textColumn"`
	TagsColumn      string `json:"tagsColumn"`
}

type variableNow struct {
	Name       string     `json:"name"`
	Label      string     `json:"label"`
	Type       string     `json:"type"`
	Datasource *sourceRef `json:"datasource,omitempty"`
	Query      string     `json:"query"`
	Refresh    int        `json:"refresh,omitempty"`
	Sort       int        `json:"sort,omitempty"`
	Multi      bool       `json:"multi,omitempty"`
	IncludeAll bool       `json:"includeAll,omitempty"`
	Options    []option   `json:"options"`
	Current    *option    `json:"current,omitempty"`
}

type panelNow struct {
	ID          int        `json:"id"`
	Type        string     `json:"type"`
	Title       string     `json:"title"`
	Description string     `json:"description,omitempty"`
	Datasource  *sourceRef `json:"datasource,omitempty"`
	GridPos     place      `json:"gridPos"`
	Targets     []target   `json:"targets,omitempty"`
	FieldConfig *fields    `json:"fieldConfig,omitempty"`
	Options     any        `json:"options"`
}

type fields struct {
	Defaults  field      `json:"defaults"`
	Overrides []override `json:"overrides"`
}

type field struct {
	Unit     string     `json:"unit,omitempty"`
	Decimals *int       `json:"decimals,omitempty"`
	Min      *int       `json:"min,omitempty"`
	NoValue  string     `json:"noValue,omitempty"`
	Links    []dataLink `json:"links,omitempty"`
	Custom   any        `json:"custom,omitempty"`
}

type dataLink struct {
	Title string `json:"title"`
	URL   string `json:"url"`
}

type override struct {
	Matcher    matcher    `json:"matcher"`
	Properties []property `json:"properties"`
}

type matcher struct {
	ID      string `json:"id"`
	Options string `json:"options"`
}

type property struct {
	ID    string `json:"id"`
	Value any    `json:"value"`
}

type graphField struct {
	DrawStyle   string       `json:"drawStyle"`
	LineWidth   int          `json:"lineWidth"`
	FillOpacity int          `json:"fillOpacity"`
	ShowPoints  string       `json:"showPoints"`
	SpanNulls   bool         `json:"spanNulls"`
	Stacking    stackingMode `json:"stacking"`
}

type stackingMode struct {
	Group string `json:"group"`
	Mode  string `json:"mode"`
}

type graphOptions struct {
	Legend  legend  `json:"legend"`
	Tooltip tooltip `json:"tooltip"`
}

type legend struct {
	ShowLegend  bool     `json:"showLegend"`
	DisplayMode string   `json:"displayMode"`
	Placement   string   `json:"placement"`
	Calcs       []string `json:"calcs"`
}

type tooltip struct {
	Mode string `json:"mode"`
	Sort string `json:"sort"`
}

type statOptions struct {
	ColorMode     string `json:"colorMode"`
	GraphMode     string `json:"graphMode"`
	TextMode      string `json:"textMode"`
	ReduceOptions reduce `json:"reduceOptions"`
}

type reduce struct {
	Calcs  []string `json:"calcs"`
	Fields string   `json:"fields"`
	Values bool     `json:"values"`
}

type tableOptions struct {
	ShowHeader bool `json:"showHeader"`
}

type textOptions struct {
	Mode    string `json:"mode"`
	Content string `json:"content"`
}

type hideFrom struct {
	Legend  bool `json:"legend"`
	Tooltip bool `json:"tooltip"`
	Viz     bool `json:"viz"`
}

// renderNow makes the dashboard for Grafana from 8.3 on.
func renderNow(d dashboard) dashboardNow {
	r := dashboardNow{
		UID: d.uid, Title: d.title, Description: d.description, Tags: []string{dataSource}, SchemaVersion: 36,
		Editable: true, Refresh: "5s", Time: timeRange{d.from, "now"}, Links: navigationLinks(),
	}
	source := sourceRef{Type: "influxdb", UID: dataSource}
	r.Annotations.List = []annotationNow{}
	if d.alerts != "" {
		r.Annotations.List = append(r.Annotations.List, annotationNow{
			Name: "Alerts", Datasource: source, Enable: true, IconColor: alertColor, Query: d.alerts, TextColumn: "Total", TagsColumn: "Cities",
			Target: annotationTarget{RefID: "Alerts", FromAnnotations: true, Name: "Alerts", Query: d.alerts, TextColumn: "Total", TagsColumn: "Cities"},
		})
	}
	r.Templating.List = []variableNow{}
	for _, v := range d.variables {
		old := variableOf5(v)
		now := variableNow{
			Name: old.Name, Label: old.Label, Type: old.Type, Query: old.Query, Refresh: old.Refresh, Sort: old.Sort,
			Multi: old.Multi, IncludeAll: old.IncludeAll, Options: old.Options, Current: old.Current,
		}
		if v.kind == lookup {
			now.Datasource = &source
		}
		r.Templating.List = append(r.Templating.List, now)
	}
	at := places(d.panels)
	for i, p := range d.panels {
		r.Panels = append(r.Panels, panelOfNow(p, i+1, at[i], source))
	}
	return r
}

func panelOfNow(p panel, id int, at place, source sourceRef) panelNow {
	r := panelNow{ID: id, Title: p.title, Description: p.description, GridPos: at}
	if p.kind == text {
		r.Type, r.Options = "text", textOptions{Mode: "markdown", Content: p.text}
		return r
	}
	r.Datasource, r.Targets = &source, targets(p)
	switch p.kind {
	case stat:
		r.Type = "stat"
		r.FieldConfig = &fields{Defaults: field{Unit: p.unit, Decimals: &p.decimals, NoValue: p.empty}, Overrides: []override{}}
		r.Options = statOptions{ColorMode: "none", GraphMode: "none", TextMode: "value", ReduceOptions: reduce{Calcs: []string{"lastNotNull"}}}
	case table:
		r.Type, r.Options = "table", tableOptions{ShowHeader: true}
		r.FieldConfig = &fields{Overrides: overrides(p.columns)}
		if p.link != "" {
			url := replaceColumns(p.link, p.columns, func(_ int, c column) string { return "${__data.fields." + c.name + ".numeric}" })
			r.FieldConfig.Defaults.Links = []dataLink{{Title: linkTitle, URL: "/" + url}}
		}
	default:
		r.Type, r.FieldConfig = "timeseries", &fields{Defaults: graphDefaults(p), Overrides: []override{}}
		r.Options = graphOptions{
			Legend:  legend{ShowLegend: true, DisplayMode: "list", Placement: "bottom", Calcs: []string{}},
			Tooltip: tooltip{Mode: "multi", Sort: "desc"},
		}
	}
	return r
}

func graphDefaults(p panel) field {
	zero := 0
	custom := graphField{DrawStyle: "line", LineWidth: 1, ShowPoints: "never", SpanNulls: true, Stacking: stackingMode{Group: "A", Mode: "none"}}
	switch p.style {
	case bars:
		custom.DrawStyle, custom.FillOpacity = "bars", 60
	case points:
		custom.ShowPoints = "always"
	}
	switch p.stack {
	case stacked:
		custom.Stacking.Mode, custom.FillOpacity = "normal", 40
	case percent:
		custom.Stacking.Mode, custom.FillOpacity = "percent", 40
	}
	return field{Unit: p.unit, Min: &zero, Custom: custom}
}

func overrides(columns []column) []override {
	found := []override{}
	for _, c := range columns {
		var properties []property
		switch c.format {
		case hidden:
			// custom.hidden is understood up to Grafana 12, custom.hideFrom from there on.
			properties = []property{{"custom.hidden", true}, {"custom.hideFrom", hideFrom{true, true, true}}}
		case asTime:
			properties = []property{{"unit", "dateTimeAsIso"}}
		case asNumber:
			properties = []property{{"decimals", 0}}
		case asFraction:
			properties = []property{{"decimals", 2}}
		default:
			continue
		}
		found = append(found, override{Matcher: matcher{"byName", c.name}, Properties: properties})
	}
	return found
}

func targets(p panel) []target {
	format := "time_series"
	if p.kind == table {
		format = "table"
	}
	found := make([]target, len(p.queries))
	for i, q := range p.queries {
		found[i] = target{RefID: refID(i), RawQuery: true, Query: q.text, ResultFormat: format, Alias: q.legend}
	}
	return found
}

func choiceOptions(v variable) (query string, options []option, current *option) {
	all := option{Text: "All", Value: "$__all", Selected: true}
	options = append(options, all)
	for i, value := range v.values {
		if i > 0 {
			query += ","
		}
		query += value
		options = append(options, option{Text: value, Value: value})
	}
	return query, options, &all
}

func intervalOptions(v variable) (query string, options []option, current *option) {
	for i, value := range v.values {
		if i > 0 {
			query += ","
		}
		query += value
		options = append(options, option{Text: value, Value: value, Selected: value == v.chosen})
	}
	return query, options, &option{Text: v.chosen, Value: v.chosen, Selected: true}
}

func unitOr(unit, standard string) string {
	if unit == "" {
		return standard
	}
	return unit
}

func decimal(i int) string { return strconv.Itoa(i) }
