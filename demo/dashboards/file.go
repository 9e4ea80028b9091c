package dashboards

import "fmt"

// file is what both kinds of files have, and what either has for the same.
type file struct {
	UID, Title, Description string
	Time                    struct{ From, To string }
	Annotations             struct {
		List []struct{ Query string }
	}
	Templating struct{ List []fileVariable }
	Panels     []filePanel
}

type fileVariable struct {
	Name, Label, Type, Query string
	Multi                    bool
	Options                  []struct{ Value string }
	Current                  struct{ Value string }
}

type filePanel struct {
	ID                       int
	Type, Title, Description string
	GridPos                  struct{ X, Y, W, H int }
	Targets                  []struct{ RefID, Query, ResultFormat, Alias string }
	// Of Grafana 5.
	Content           string
	Format            string
	Decimals          int
	ValueMaps         []struct{ Text string }
	Stack, Percentage bool
	Bars              bool
	YAxes             []struct{ Format string }
	Styles            []struct {
		Pattern, Type, LinkURL string
		Decimals               int
	}
	// Of current ones.
	Options     struct{ Content string }
	FieldConfig struct {
		Defaults struct {
			Unit, NoValue string
			Decimals      int
			Links         []struct{ URL string }
			Custom        struct {
				DrawStyle string
				Stacking  struct{ Mode string }
			}
		}
		Overrides []struct {
			Matcher    struct{ Options string }
			Properties []struct {
				ID    string
				Value any
			}
		}
	}
}

func (v fileVariable) variable() Variable {
	r := Variable{Name: v.Name, Label: v.Label, Multi: v.Multi, Chosen: v.Current.Value}
	if v.Type == "query" {
		r.Query = v.Query
	}
	for _, option := range v.Options {
		if option.Value != AllValues {
			r.Values = append(r.Values, option.Value)
		}
	}
	return r
}

func (p filePanel) panel() (Panel, error) {
	r := Panel{
		ID: p.ID, Title: p.Title, Description: p.Description,
		X: p.GridPos.X, Y: p.GridPos.Y, Width: p.GridPos.W, Height: p.GridPos.H,
	}
	for _, t := range p.Targets {
		r.Queries = append(r.Queries, Query{RefID: t.RefID, Text: t.Query, Alias: t.Alias, Table: t.ResultFormat == "table"})
	}
	switch p.Type {
	case "graph":
		r.Shape, r.Unit, r.Stacked, r.Percent, r.Bars = Graph, p.YAxes[0].Format, p.Stack, p.Percentage, p.Bars
	case "singlestat":
		r.Shape, r.Unit, r.Decimals, r.Empty = Stat, p.Format, p.Decimals, p.ValueMaps[0].Text
	case "timeseries":
		custom := p.FieldConfig.Defaults.Custom
		r.Shape, r.Unit, r.Bars = Graph, p.FieldConfig.Defaults.Unit, custom.DrawStyle == "bars"
		r.Stacked, r.Percent = custom.Stacking.Mode != "none", custom.Stacking.Mode == "percent"
	case "stat":
		r.Shape, r.Unit = Stat, p.FieldConfig.Defaults.Unit
		r.Decimals, r.Empty = p.FieldConfig.Defaults.Decimals, p.FieldConfig.Defaults.NoValue
	case "table":
		r.Shape = Table
		p.table(&r)
	case "text":
		r.Shape, r.Content = Text, p.Content+p.Options.Content
	default:
		return r, fmt.Errorf("type %q is not known", p.Type)
	}
	return r, nil
}

// table reads the columns and the link, which Grafana 5 has for each column and current ones once.
func (p filePanel) table(r *Panel) {
	for _, style := range p.Styles {
		r.Columns = append(r.Columns, Column{Name: style.Pattern, Hidden: style.Type == "hidden", Decimals: style.Decimals})
		r.Link = max(r.Link, style.LinkURL)
	}
	for _, override := range p.FieldConfig.Overrides {
		c := Column{Name: override.Matcher.Options}
		for _, property := range override.Properties {
			switch value := property.Value.(type) {
			case bool:
				c.Hidden = property.ID == "custom.hidden" && value
			case float64:
				c.Decimals = int(value)
			}
		}
		r.Columns = append(r.Columns, c)
	}
	for _, link := range p.FieldConfig.Defaults.Links {
		r.Link = link.URL
	}
}
