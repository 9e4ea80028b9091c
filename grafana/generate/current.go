package main

import "strconv"

const (
	alertColor = "#e02f44"
	linkTitle  = "Show the transfers behind this alert"
)

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
