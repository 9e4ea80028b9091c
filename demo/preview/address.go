package preview

import (
	"context"
	"net/url"
	"slices"
	"time"

	"fintrans/demo/dashboards"
)

// asked is what an address asks for, in Grafana's words: var-NAME, from and to.
type asked struct {
	values dashboards.Values
	within dashboards.Range
}

// choice is a variable as the page offers it.
type choice struct {
	Name, Label string
	Multi, All  bool
	Options     []choiceOption
}

type choiceOption struct {
	Value  string
	Chosen bool
}

// rangeChoice is a range of time as the page offers it.
type rangeChoice struct {
	Text, From, To string
	Chosen         bool
}

func readAddress(d dashboards.Dashboard, parameters url.Values) asked {
	a := asked{values: dashboards.Values{}, within: d.Range}
	if from := parameters.Get("from"); from != "" {
		a.within.From = from
	}
	if to := parameters.Get("to"); to != "" {
		a.within.To = to
	}
	for _, v := range d.Variables {
		if values := parameters["var-"+v.Name]; len(values) > 0 {
			a.values[v.Name] = values
		}
	}
	return a
}

// choose gives each variable the value of the address, else that of the file, else the first there is. The
// variables come in the order in which later ones depend on earlier ones.
func (p *pages) choose(ctx context.Context, d dashboards.Dashboard, a asked, now time.Time) (dashboards.View, []choice) {
	view := dashboards.View{Values: dashboards.Values{}, Range: a.within, Now: now}
	var choices []choice
	for _, v := range d.Variables {
		options := v.Values
		if v.Query != "" {
			// An error is not lost: the panels ask the same server.
			options, _ = d.Lookup(ctx, p.influx, v, view)
		}
		all := v.Multi && (a.values[v.Name] == nil || isAll(a.values[v.Name]))
		switch {
		case all:
			view.Values[v.Name] = options
		case a.values[v.Name] != nil:
			view.Values[v.Name] = allowed(v, a.values[v.Name])
		case slices.Contains(options, v.Chosen):
			view.Values[v.Name] = []string{v.Chosen}
		case len(options) > 0:
			view.Values[v.Name] = options[:1]
		}
		choices = append(choices, offer(v, options, view.Values[v.Name], all))
	}
	return view, choices
}

func isAll(values []string) bool {
	return len(values) == 1 && (values[0] == dashboards.AllValues || values[0] == "All" || values[0] == "")
}

// allowed keeps what may go into a query: values come from addresses that anybody can write. Those of a list have
// to be on it, those that InfluxDB is asked for are numbers.
func allowed(v dashboards.Variable, values []string) []string {
	var kept []string
	for _, value := range values {
		if slices.Contains(v.Values, value) || v.Query != "" && isNumber(value) {
			kept = append(kept, value)
		}
	}
	if !v.Multi && len(kept) > 1 {
		kept = kept[:1]
	}
	if len(kept) == 0 && v.Query == "" {
		kept = []string{v.Chosen}
		if v.Multi {
			kept = v.Values
		}
	}
	return kept
}

func isNumber(value string) bool {
	for _, digit := range value {
		if digit < '0' || digit > '9' {
			return false
		}
	}
	return value != "" && len(value) < 20
}

func offer(v dashboards.Variable, options, chosen []string, all bool) choice {
	c := choice{Name: v.Name, Label: v.Label, Multi: v.Multi, All: all}
	for _, value := range chosen {
		if !slices.Contains(options, value) {
			options = append([]string{value}, options...)
		}
	}
	for _, value := range options {
		c.Options = append(c.Options, choiceOption{value, !all && slices.Contains(chosen, value)})
	}
	return c
}

// rangeChoices are the ranges within the retention, and the one of the address where it is another.
func rangeChoices(chosen dashboards.Range) []rangeChoice {
	choices := []rangeChoice{
		{Text: "past hour", From: "now-1h", To: "now"},
		{Text: "past 15 minutes", From: "now-15m", To: "now"},
		{Text: "past 5 minutes", From: "now-5m", To: "now"},
	}
	found := false
	for i := range choices {
		choices[i].Chosen = choices[i].From == chosen.From && choices[i].To == chosen.To
		found = found || choices[i].Chosen
	}
	if !found {
		choices = append(choices, rangeChoice{Text: words(chosen), From: chosen.From, To: chosen.To, Chosen: true})
	}
	return choices
}

func words(r dashboards.Range) string {
	read := func(word string) string {
		if !isNumber(word) {
			return word
		}
		at, err := dashboards.At(word, time.Time{})
		if err != nil {
			return word
		}
		return at.UTC().Format(time.TimeOnly)
	}
	return read(r.From) + " to " + read(r.To)
}
