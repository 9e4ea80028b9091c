package main

// dollars is Grafana's name of the unit.
const dollars = "currencyUSD"

// dataSource is the name of the data source, and its uid where Grafana has one.
const dataSource = "fintrans"

// dashboard5 is a dashboard as Grafana 5.0 reads it.
type dashboard5 struct {
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
		List []annotation5 `json:"list"`
	} `json:"annotations"`
	Templating struct {
		List []variable5 `json:"list"`
	} `json:"templating"`
	Panels []panel5 `json:"panels"`
}

type timeRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// navigation is a row of links to the dashboards with the tags.
type navigation struct {
	Type        string   `json:"type"`
	Tags        []string `json:"tags"`
	Title       string   `json:"title"`
	Tooltip     string   `json:"tooltip"`
	Icon        string   `json:"icon"`
	AsDropdown  bool     `json:"asDropdown"`
	IncludeVars bool     `json:"includeVars"`
	KeepTime    bool     `json:"keepTime"`
	TargetBlank bool     `json:"targetBlank"`
}

type annotation5 struct {
	Name        string `json:"name"`
	Datasource  string `json:"datasource"`
	Enable      bool   `json:"enable"`
	IconColor   string `json:"iconColor"`
	Query       string `json:"query"`
	TitleColumn string `json:"titleColumn"`
	TagsColumn  string `json:"tagsColumn"`
}

type option struct {
	Text     string `json:"text"`
	Value    string `json:"value"`
	Selected bool   `json:"selected"`
}

type variable5 struct {
	Name       string   `json:"name"`
	Label      string   `json:"label"`
	Type       string   `json:"type"`
	Datasource string   `json:"datasource,omitempty"`
	Query      string   `json:"query"`
	Refresh    int      `json:"refresh,omitempty"`
	Sort       int      `json:"sort,omitempty"`
	Multi      bool     `json:"multi,omitempty"`
	IncludeAll bool     `json:"includeAll,omitempty"`
	Options    []option `json:"options"`
	Current    *option  `json:"current,omitempty"`
}

type panel5 struct {
	ID            int        `json:"id"`
	Type          string     `json:"type"`
	Title         string     `json:"title"`
	Description   string     `json:"description,omitempty"`
	Datasource    string     `json:"datasource,omitempty"`
	GridPos       place      `json:"gridPos"`
	Targets       []target   `json:"targets,omitempty"`
	Mode          string     `json:"mode,omitempty"`    // of a text
	Content       string     `json:"content,omitempty"` // of a text
	Format        string     `json:"format,omitempty"`  // of a singlestat, as are the next
	Decimals      *int       `json:"decimals,omitempty"`
	ValueName     string     `json:"valueName,omitempty"`
	MappingType   int        `json:"mappingType,omitempty"`
	ValueMaps     []valueMap `json:"valueMaps,omitempty"`
	Transform     string     `json:"transform,omitempty"` // of a table, as are the next
	Columns       *[]string  `json:"columns,omitempty"`
	Styles        []style5   `json:"styles,omitempty"`
	ShowHeader    bool       `json:"showHeader,omitempty"`
	Scroll        bool       `json:"scroll,omitempty"`
	Sort          *sort5     `json:"sort,omitempty"`
	Lines         *bool      `json:"lines,omitempty"` // of a graph, as are the next
	Bars          bool       `json:"bars,omitempty"`
	Points        bool       `json:"points,omitempty"`
	Fill          *int       `json:"fill,omitempty"`
	Stack         bool       `json:"stack,omitempty"`
	Percentage    bool       `json:"percentage,omitempty"`
	NullPointMode string     `json:"nullPointMode,omitempty"`
	YAxes         []axis5    `json:"yaxes,omitempty"`
}

// target is a query of a panel, for both kinds of Grafana.
type target struct {
	RefID        string `json:"refId"`
	RawQuery     bool   `json:"rawQuery"`
	Query        string `json:"query"`
	ResultFormat string `json:"resultFormat"`
	Alias        string `json:"alias,omitempty"`
}

type valueMap struct {
	Op    string `json:"op"`
	Value string `json:"value"`
	Text  string `json:"text"`
}

type style5 struct {
	Pattern     string `json:"pattern"`
	Type        string `json:"type"`
	DateFormat  string `json:"dateFormat,omitempty"`
	Unit        string `json:"unit,omitempty"`
	Decimals    *int   `json:"decimals,omitempty"`
	Link        bool   `json:"link,omitempty"`
	LinkURL     string `json:"linkUrl,omitempty"`
	LinkTooltip string `json:"linkTooltip,omitempty"`
}

type sort5 struct {
	Col  *int `json:"col"` // null: as the query orders
	Desc bool `json:"desc"`
}

type axis5 struct {
	Show   bool   `json:"show"`
	Format string `json:"format"`
	Min    *int   `json:"min"`
}

// render5 makes the dashboard for Grafana 5.0 up to 8.2.
func render5(d dashboard) dashboard5 {
	r := dashboard5{
		UID: d.uid, Title: d.title, Description: d.description, Tags: []string{dataSource}, SchemaVersion: 16,
		Editable: true, Refresh: "5s", Time: timeRange{d.from, "now"}, Links: navigationLinks(),
	}
	r.Annotations.List = []annotation5{}
	if d.alerts != "" {
		r.Annotations.List = append(r.Annotations.List, annotation5{
			Name: "Alerts", Datasource: dataSource, Enable: true, IconColor: alertColor, Query: d.alerts, TitleColumn: "Total", TagsColumn: "Cities",
		})
	}
	r.Templating.List = []variable5{}
	for _, v := range d.variables {
		r.Templating.List = append(r.Templating.List, variableOf5(v))
	}
	at := places(d.panels)
	for i, p := range d.panels {
		r.Panels = append(r.Panels, panelOf5(p, i+1, at[i]))
	}
	return r
}

func navigationLinks() []navigation {
	return []navigation{{Type: "dashboards", Tags: []string{dataSource}, Icon: "external link", KeepTime: false}}
}

func variableOf5(v variable) variable5 {
	r := variable5{Name: v.name, Label: v.label, Options: []option{}}
	switch v.kind {
	case choice:
		r.Type, r.Multi, r.IncludeAll = "custom", true, true
		r.Query, r.Options, r.Current = choiceOptions(v)
	case interval:
		r.Type = "interval"
		r.Query, r.Options, r.Current = intervalOptions(v)
	case lookup:
		r.Type, r.Datasource, r.Query = "query", dataSource, v.query
		r.Refresh, r.Sort = 1, 3 // on load; by number
	}
	return r
}

func panelOf5(p panel, id int, at place) panel5 {
	r := panel5{ID: id, Title: p.title, Description: p.description, GridPos: at}
	if p.kind == text {
		r.Type, r.Mode, r.Content = "text", "markdown", p.text
		return r
	}
	r.Datasource, r.Targets = dataSource, targets(p)
	switch p.kind {
	case stat:
		r.Type, r.ValueName = "singlestat", "current"
		r.Format, r.Decimals = unitOr(p.unit, "none"), &p.decimals
		r.MappingType, r.ValueMaps = 1, []valueMap{{Op: "=", Value: "null", Text: p.empty}}
	case table:
		r.Type, r.Transform, r.Columns, r.ShowHeader, r.Scroll, r.Sort = "table", "table", &[]string{}, true, true, &sort5{}
		link := replaceColumns(p.link, p.columns, func(i int, _ column) string { return "$__cell_" + decimal(i) })
		for _, c := range p.columns {
			r.Styles = append(r.Styles, styleOf5(c, link))
		}
	default:
		line, fill, zero := p.style != bars, 0, 0
		if p.stack != separate {
			fill = 3
		}
		r.Type, r.Lines, r.Bars, r.Points, r.Fill = "graph", &line, p.style == bars, p.style == points, &fill
		r.Stack, r.Percentage, r.NullPointMode = p.stack != separate, p.stack == percent, "connected"
		format := unitOr(p.unit, "short")
		if p.stack == percent {
			format = "percent"
		}
		r.YAxes = []axis5{{Show: true, Format: format, Min: &zero}, {Show: false, Format: "short"}}
	}
	return r
}

func styleOf5(c column, link string) style5 {
	none, two := 0, 2
	s := style5{Pattern: c.name}
	switch c.format {
	case asTime:
		s.Type, s.DateFormat = "date", "YYYY-MM-DD HH:mm:ss"
	case asNumber:
		s.Type, s.Unit, s.Decimals = "number", "none", &none
	case asFraction:
		s.Type, s.Unit, s.Decimals = "number", "none", &two
	case hidden:
		s.Type = "hidden"
		return s
	default:
		s.Type = "string"
	}
	if link != "" {
		s.Link, s.LinkURL, s.LinkTooltip = true, link, linkTitle
	}
	return s
}
