package dashboards

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Line is a series of a graph.
type Line struct {
	Name   string
	Times  []int64   // milliseconds since 1970
	Values []float64 // NaN where there is none
}

// Grid is what a table shows: Time, tags, fields. A cell is nil, a json.Number, a string or a bool.
type Grid struct {
	Columns []string
	Rows    [][]any
}

// View is a choice of the viewer.
type View struct {
	Values Values
	Range  Range
	Now    time.Time
}

// Lines asks the panel's queries and makes series of the answers.
func (d Dashboard) Lines(ctx context.Context, influx Influx, p Panel, view View) ([]Line, error) {
	var lines []Line
	for _, q := range p.Queries {
		series, err := d.ask(ctx, influx, q.Text, view)
		if err != nil {
			return nil, fmt.Errorf("panel %q: %w", p.Title, err)
		}
		for _, s := range series {
			lines = append(lines, linesOf(s, q.Alias)...)
		}
	}
	return lines, nil
}

// Grid asks the panel's query and makes a table of the answer.
func (d Dashboard) Grid(ctx context.Context, influx Influx, p Panel, view View) (Grid, error) {
	series, err := d.ask(ctx, influx, p.Queries[0].Text, view)
	if err != nil {
		return Grid{}, fmt.Errorf("panel %q: %w", p.Title, err)
	}
	return gridOf(series), nil
}

// Alerts asks for the annotations.
func (d Dashboard) Alerts(ctx context.Context, influx Influx, view View) (Grid, error) {
	if len(d.Annotations) == 0 {
		return Grid{}, nil
	}
	series, err := d.ask(ctx, influx, d.Annotations[0], view)
	return gridOf(series), err
}

// Lookup asks for the values of a variable: the second column of the answer, each value once, numbers in order.
func (d Dashboard) Lookup(ctx context.Context, influx Influx, v Variable, view View) ([]string, error) {
	series, err := d.ask(ctx, influx, v.Query, view)
	if err != nil {
		return nil, fmt.Errorf("variable %s: %w", v.Name, err)
	}
	var found []string
	for _, s := range series {
		for _, row := range s.Values {
			found = append(found, fmt.Sprint(row[1]))
		}
	}
	slices.SortFunc(found, func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	return slices.Compact(found), nil
}

func (d Dashboard) ask(ctx context.Context, influx Influx, query string, view View) ([]answerSeries, error) {
	statement, err := d.Expand(query, view.Values, view.Range, view.Now)
	if err != nil {
		return nil, err
	}
	return influx.ask(ctx, statement)
}

func linesOf(s answerSeries, alias string) []Line {
	var lines []Line
	for column := 1; column < len(s.Columns); column++ {
		line := Line{Name: lineName(s, column, alias)}
		for _, row := range s.Values {
			line.Times = append(line.Times, int64(number(row[0])))
			line.Values = append(line.Values, number(row[column]))
		}
		lines = append(lines, line)
	}
	return lines
}

var tagReference = regexp.MustCompile(`\$tag_(\w+)`)

func lineName(s answerSeries, column int, alias string) string {
	if alias == "" {
		return s.Name + "." + s.Columns[column]
	}
	return tagReference.ReplaceAllStringFunc(alias, func(match string) string {
		return s.Tags[strings.TrimPrefix(match, "$tag_")]
	})
}

// gridOf joins series under the columns of the first.
func gridOf(series []answerSeries) Grid {
	var grid Grid
	for i, s := range series {
		tags := slices.Sorted(maps.Keys(s.Tags))
		if i == 0 {
			grid.Columns = append([]string{"Time"}, tags...)
			grid.Columns = append(grid.Columns, s.Columns[1:]...)
		}
		for _, values := range s.Values {
			row := []any{values[0]}
			for _, tag := range tags {
				row = append(row, s.Tags[tag])
			}
			grid.Rows = append(grid.Rows, append(row, values[1:]...))
		}
	}
	return grid
}

// number returns the value of a cell, NaN where it has none.
func number(cell any) float64 {
	if n, ok := cell.(json.Number); ok {
		if value, err := n.Float64(); err == nil {
			return value
		}
	}
	return math.NaN()
}

// Times returns the times of the rows, in milliseconds since 1970.
func (g Grid) Times() []int64 {
	times := make([]int64, len(g.Rows))
	for i, row := range g.Rows {
		times[i] = int64(number(row[0]))
	}
	return times
}
