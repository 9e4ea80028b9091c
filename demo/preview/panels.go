package preview

import (
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
	"time"

	"fintrans/demo/dashboards"
)

// panelView is a panel as the template shows it.
type panelView struct {
	ID, Column, Width  int
	Title, Description string
	Number, Content    string
	Picture            template.HTML
	Legend             []key
	Columns            []string
	Rows               []rowView
	Empty, Error       string
}

type rowView struct {
	Link  string
	Cells []string
}

// panels asks for all panels of a dashboard. A panel that cannot be had says why; the others are shown.
func (p *pages) panels(ctx context.Context, d dashboards.Dashboard, view dashboards.View) []panelView {
	alerts, alertsErr := d.Alerts(ctx, p.influx, view)
	var views []panelView
	for _, panel := range d.Panels {
		v := panelView{ID: panel.ID, Column: panel.X + 1, Width: panel.Width, Title: panel.Title, Description: panel.Description}
		var err error
		switch panel.Shape {
		case dashboards.Text:
			v.Content = panel.Content
		case dashboards.Stat:
			err = p.stat(ctx, d, panel, view, &v)
		case dashboards.Table:
			err = p.table(ctx, d, panel, view, &v)
		default:
			if err = alertsErr; err == nil {
				err = p.graph(ctx, d, panel, view, alerts, &v)
			}
		}
		if err != nil {
			v.Error = err.Error()
		}
		views = append(views, v)
	}
	return views
}

func (p *pages) stat(ctx context.Context, d dashboards.Dashboard, panel dashboards.Panel, view dashboards.View, v *panelView) error {
	lines, err := d.Lines(ctx, p.influx, panel, view)
	if err != nil {
		return err
	}
	v.Number = panel.Empty
	if len(lines) > 0 {
		if value := lines[0].Values[len(lines[0].Values)-1]; !math.IsNaN(value) {
			v.Number = exact(value, panel.Unit, panel.Decimals, view.Now)
		}
	}
	return nil
}

func (p *pages) graph(ctx context.Context, d dashboards.Dashboard, panel dashboards.Panel, view dashboards.View, alerts dashboards.Grid, v *panelView) error {
	lines, err := d.Lines(ctx, p.influx, panel, view)
	if err != nil {
		return err
	}
	if len(lines) == 0 {
		v.Empty = "no data in this range"
		return nil
	}
	series := spread(d, panel, view, lines, alerts)
	v.Legend = legend(series)
	drawn, err := draw(panel, series)
	if err != nil {
		return fmt.Errorf("draw: %w", err)
	}
	v.Picture = template.HTML(drawn) // the library escapes what it writes
	return nil
}

func (p *pages) table(ctx context.Context, d dashboards.Dashboard, panel dashboards.Panel, view dashboards.View, v *panelView) error {
	grid, err := d.Grid(ctx, p.influx, panel, view)
	if err != nil {
		return err
	}
	if len(grid.Rows) == 0 {
		v.Empty = "none in this range"
		return nil
	}
	settings := make([]dashboards.Column, len(grid.Columns))
	for i, name := range grid.Columns {
		settings[i].Name = name
		if at := slices.IndexFunc(panel.Columns, func(c dashboards.Column) bool { return c.Name == name }); at >= 0 {
			settings[i] = panel.Columns[at]
		}
		if !settings[i].Hidden {
			v.Columns = append(v.Columns, name)
		}
	}
	for i, row := range grid.Rows {
		link, err := d.Kind.RowLink(panel, grid, i)
		if err != nil {
			return err
		}
		shown := rowView{Link: link}
		for column, cell := range row {
			if !settings[column].Hidden {
				shown.Cells = append(shown.Cells, cellText(grid.Columns[column], cell, settings[column].Decimals))
			}
		}
		v.Rows = append(v.Rows, shown)
	}
	return nil
}

// cellText writes numbers without separators: accounts are numbers too.
func cellText(column string, cell any, decimals int) string {
	number, ok := cell.(json.Number)
	if !ok {
		return strings.TrimPrefix(fmt.Sprint(cell), "<nil>")
	}
	value, err := number.Float64()
	switch {
	case err != nil:
		return number.String()
	case column == "Time":
		return time.UnixMilli(int64(value)).UTC().Format("2006-01-02 15:04:05.000")
	}
	return fmt.Sprintf("%.*f", decimals, value)
}
