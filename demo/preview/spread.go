package preview

import (
	"math"
	"regexp"
	"time"

	"fintrans/demo/dashboards"
)

// slots are the series of a graph at equal intervals of time, as the chart library draws them.
type slots struct {
	labels []string
	names  []string
	values [][]float64 // NaN where there is none
	alerts []bool      // whether a slot has an alert
	known  int         // most values of a series before gaps were filled
}

// freeSlots is how many there are where the query has no intervals of its own.
const freeSlots = 240

var groupTime = regexp.MustCompile(`GROUP BY time\(([^)]+)\)`)

// spread puts series into slots: those of the query's GROUP BY time, or fine ones for single points.
func spread(d dashboards.Dashboard, panel dashboards.Panel, view dashboards.View, lines []dashboards.Line, alerts dashboards.Grid) slots {
	// The page has checked both words.
	from, _ := dashboards.At(view.Range.From, view.Now)
	to, _ := dashboards.At(view.Range.To, view.Now)
	step, grouped := stepOf(d, panel, view)
	if !grouped || to.Sub(from)/step > 2000 {
		step, grouped = max(to.Sub(from)/freeSlots, time.Millisecond), false
	}
	begin := from.UnixMilli()
	if grouped {
		begin -= begin % step.Milliseconds()
	}
	count := int((to.UnixMilli()-begin)/step.Milliseconds()) + 1
	at := func(millis int64) int { return int((millis - begin) / step.Milliseconds()) }

	s := slots{labels: make([]string, count), alerts: make([]bool, count)}
	layout := "15:04"
	if step < 10*time.Second {
		layout = time.TimeOnly
	}
	for i := range s.labels {
		s.labels[i] = time.UnixMilli(begin + int64(i)*step.Milliseconds()).UTC().Format(layout)
	}
	for _, line := range lines {
		values := make([]float64, count)
		for i := range values {
			values[i] = math.NaN()
		}
		known := 0
		for i, value := range line.Values {
			if slot := at(line.Times[i]); slot >= 0 && slot < count && !math.IsNaN(value) {
				values[slot] = value
				known++
			}
		}
		s.known = max(s.known, known)
		s.names, s.values = append(s.names, line.Name), append(s.values, filled(values, panel, grouped))
	}
	for _, millis := range alerts.Times() {
		if slot := at(millis); slot >= 0 && slot < count {
			s.alerts[slot] = true
		}
	}
	if panel.Percent {
		shares(s.values)
	}
	return s
}

// stepOf returns the interval of the query, where it has one.
func stepOf(d dashboards.Dashboard, panel dashboards.Panel, view dashboards.View) (time.Duration, bool) {
	statement, err := d.Expand(panel.Queries[0].Text, view.Values, view.Range, view.Now)
	if err != nil {
		return 0, false
	}
	found := groupTime.FindAllStringSubmatch(statement, -1)
	if found == nil {
		return 0, false
	}
	step, err := time.ParseDuration(found[len(found)-1][1])
	return step, err == nil && step > 0
}

// filled closes gaps: what is stacked is 0 there; lines go straight from value to value, or stay until the next
// single point.
func filled(values []float64, panel dashboards.Panel, grouped bool) []float64 {
	last := -1
	for i, value := range values {
		switch {
		case math.IsNaN(value) && (panel.Stacked || panel.Bars):
			values[i] = 0
		case math.IsNaN(value):
			continue
		case last >= 0 && i > last+1 && !panel.Stacked && !panel.Bars:
			for gap := last + 1; gap < i; gap++ {
				values[gap] = values[last]
				if grouped {
					values[gap] += (value - values[last]) * float64(gap-last) / float64(i-last)
				}
			}
		}
		last = i
	}
	return values
}

// shares makes percents of the values of each slot.
func shares(values [][]float64) {
	for i := range values[0] {
		sum := 0.0
		for _, series := range values {
			sum += series[i]
		}
		for _, series := range values {
			if sum > 0 {
				series[i] *= 100 / sum
			}
		}
	}
}
