package cases

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"fintrans/demo/dashboards"
	"fintrans/demo/harness"
)

// knownMoney is random money in four cities, and the transfers of two pairs that alert. Tokyo has none.
func knownMoney() []harness.Record {
	money := flow{seed: 6, number: 1500, accounts: 40, largest: 9999, span: 50 * time.Minute, weights: []int{8, 4, 2, 1, 0}}.transactions()
	begin := time.UnixMilli(time.Now().Add(-20 * time.Minute).UnixMilli())
	money = append(money, ring(begin)...)
	for i, amount := range []uint32{9000, 8001} { // in the same millisecond
		money = append(money, harness.Transfer(harness.Cities()[i], begin, 7, 482, amount))
	}
	return money
}

// ring are transfers that cross 10000 with the last one.
func ring(begin time.Time) []harness.Record {
	var transfers []harness.Record
	for i, amount := range []uint32{2000, 2500, 1500, 3000, 1644} {
		transfers = append(transfers, harness.Transfer(harness.Cities()[i%3], begin.Add(time.Duration(i)*17*time.Second), 516, 482, amount))
	}
	return transfers
}

// known is an alert and what is behind it.
type known struct {
	source, target, total uint32
	transfers             []harness.Record // in the order of time
	cities                string
}

type knownAlert []known

// knownAlerts are what the detector says of the pairs.
func knownAlerts(money []harness.Record, pairs ...[2]uint32) knownAlert {
	var found knownAlert
	for _, pair := range pairs {
		a := known{source: pair[0], target: pair[1]}
		cities := map[string]bool{}
		for i, moved := range transfers(money) {
			if moved.Source == a.source && moved.Target == a.target {
				a.total += moved.Amount
				a.transfers = append(a.transfers, money[i])
				cities[money[i].City] = true
			}
		}
		a.cities = strings.Join(slices.Sorted(maps.Keys(cities)), ", ")
		found = append(found, a)
	}
	return found
}

func (a known) first() time.Time { return a.transfers[0].Time }
func (a known) last() time.Time  { return a.transfers[len(a.transfers)-1].Time }

// lines are the points of measurement alerts.
func (all knownAlert) lines() []string {
	var lines []string
	for i, a := range all {
		lines = append(lines, fmt.Sprintf(`alerts,city=%s,partition=3 source=%di,target=%di,total=%di,threshold=10000i,window_ms=3600000i,`+
			`transfers=%di,first_ms=%di,last_ms=%di,offset=%di,cities="%s" %d`,
			a.transfers[0].City, a.source, a.target, a.total, len(a.transfers), a.first().UnixMilli(), a.last().UnixMilli(), i, a.cities,
			a.last().UnixNano()+int64(i)))
	}
	return lines
}

// tally is what is known of a city, or of an interval of it.
type tally struct{ count, sum, largest float64 }

func (t tally) add(amount float64) tally {
	return tally{t.count + 1, t.sum + amount, max(t.largest, amount)}
}

// interval is a city's step of a graph.
type interval struct {
	city  string
	begin int64 // milliseconds since 1970
}

// seesMoney compares dashboard Fintrans with the transactions and the alerts, for all cities and for two.
func (b *browser) seesMoney(money []harness.Record, found knownAlert) {
	for _, chosen := range []dashboards.Values{
		nil, {"city": {"London", "SF"}, "step": {"5m"}}, {"city": {"NYC"}, "step": {"30s"}}, {"city": {"Tokyo"}},
	} {
		d, view := b.open("fintrans", chosen)
		step, err := time.ParseDuration(view.Values["step"][0])
		if err != nil {
			b.t.Fatal(err)
		}
		all, cities, intervals := tallies(money, view.Values["city"], step)
		b.shows(d, view, "Alerts in the range", float64(len(found)))
		if all.count > 0 {
			b.shows(d, view, "Transactions", all.count)
			b.shows(d, view, "Average transaction", all.sum/all.count)
			b.shows(d, view, "Total volume", all.sum)
		} else if _, ok := b.number(d, view, "Transactions"); ok {
			b.t.Errorf("Grafana %s: cities without money have transactions", b.kind)
		}
		b.seesCities(d, view, cities)
		for title, value := range map[string]func(tally) float64{
			"Total volume per city":        func(t tally) float64 { return t.sum },
			"Share of each city":           func(t tally) float64 { return t.sum }, // Grafana makes the share of it
			"Average transaction per city": func(t tally) float64 { return t.sum / t.count },
		} {
			b.seesIntervals(b.lines(d, view, title), title, intervals, value)
		}
	}
}

// tallies adds up what is known of the chosen cities.
func tallies(money []harness.Record, chosen []string, step time.Duration) (all tally, cities map[string]tally, intervals map[interval]tally) {
	cities, intervals = map[string]tally{}, map[interval]tally{}
	for i, moved := range transfers(money) {
		r := money[i]
		if !slices.Contains(chosen, r.City) {
			continue
		}
		amount := float64(moved.Amount)
		at := interval{r.City, r.Time.Truncate(step).UnixMilli()}
		all, cities[r.City], intervals[at] = all.add(amount), cities[r.City].add(amount), intervals[at].add(amount)
	}
	return all, cities, intervals
}

func (b *browser) seesCities(d dashboards.Dashboard, view dashboards.View, want map[string]tally) {
	b.t.Helper()
	grid := b.grid(d, view, "Cities")
	got := map[string]string{}
	for _, row := range grid.Rows {
		got[text(row[1])] = fmt.Sprintf("%v %.6s %v %v", row[2], text(row[3]), row[4], row[5])
	}
	known := map[string]string{}
	for city, t := range want {
		known[city] = fmt.Sprintf("%.0f %.6s %.0f %.0f", t.count, fmt.Sprintf("%.9f", t.sum/t.count), t.sum, t.largest)
	}
	if !maps.Equal(got, known) {
		b.t.Errorf("Grafana %s: cities: %s", b.kind, firstDifference(got, known))
	}
	if names := []string{"Time", "city", "Transactions", "Average", "Total", "Largest"}; len(want) > 0 && !slices.Equal(grid.Columns, names) {
		b.t.Errorf("Grafana %s: columns %q, want %q", b.kind, grid.Columns, names)
	}
}

// seesIntervals compares a graph: each interval with money has its value, each without has none or 0.
func (b *browser) seesIntervals(lines []dashboards.Line, title string, want map[interval]tally, value func(tally) float64) {
	b.t.Helper()
	seen := 0
	for _, line := range lines {
		for i, at := range line.Times {
			t, ok := want[interval{line.Name, at}]
			got := line.Values[i]
			switch {
			case ok && !near(got, value(t)):
				b.t.Errorf("Grafana %s: %q: %s at %d is %v, want %v", b.kind, title, line.Name, at, got, value(t))
			case !ok && got > 0:
				b.t.Errorf("Grafana %s: %q: %s at %d is %v, want none", b.kind, title, line.Name, at, got)
			case ok:
				seen++
			}
		}
	}
	if seen != len(want) {
		b.t.Errorf("Grafana %s: %q shows %d intervals with money, want %d", b.kind, title, seen, len(want))
	}
}

// followsAlerts reads the table of alerts and opens what its rows link to.
func (b *browser) followsAlerts(found knownAlert) {
	d, view := b.open("fintrans", nil)
	grid := b.grid(d, view, "Alerts")
	if len(grid.Rows) != len(found) {
		b.t.Fatalf("Grafana %s: %d alerts, want %d: %v", b.kind, len(grid.Rows), len(found), grid)
	}
	if marks := b.alertMarks(d, view); len(marks.Rows) != len(found) {
		b.t.Errorf("Grafana %s: %d alerts are marked in the graphs, want %d", b.kind, len(marks.Rows), len(found))
	}
	for i, a := range found { // 516 -> 482 is the last one, and so the first row
		row := grid.Rows[i]
		got := fmt.Sprint(row[1:7])
		want := fmt.Sprintf("[%d %d %d 10000 %d %s]", a.source, a.target, a.total, len(a.transfers), a.cities)
		if got != want {
			b.t.Errorf("Grafana %s: alert %d is %s, want %s", b.kind, i, got, want)
		}
		// The transaction that set it off is any of them: those of different cities are read in no particular order.
		if at := numberOf(row[0]); at < a.first().UnixMilli() || at > a.last().UnixMilli() {
			b.t.Errorf("Grafana %s: alert %d is at %d, want %d to %d", b.kind, i, at, a.first().UnixMilli(), a.last().UnixMilli())
		}
		link, err := b.kind.RowLink(b.panel(d, "Alerts"), grid, i)
		if err != nil {
			b.t.Fatal(err)
		}
		b.seesTransfers(link, a, found)
	}
}

// seesTransfers opens the link of an alert.
func (b *browser) seesTransfers(link string, a known, found knownAlert) {
	b.t.Helper()
	address, err := url.Parse("/" + link)
	if err != nil {
		b.t.Fatal(err)
	}
	uid := strings.Split(address.Path, "/")[2]
	parameters := address.Query()
	d, view := b.open(uid, dashboards.Values{
		"source": parameters["var-source"], "target": parameters["var-target"], "threshold": parameters["var-threshold"],
	})
	if want := "/d/" + uid + "/" + d.Slug(); address.Path != want {
		b.t.Errorf("Grafana %s: the alert leads to %s, want %s", b.kind, address.Path, want)
	}
	view.Range = dashboards.Range{From: parameters.Get("from"), To: parameters.Get("to")}
	b.shows(d, view, "Transfers", float64(len(a.transfers)))
	b.shows(d, view, "Total, $", float64(a.total))
	grid := b.grid(d, view, "Transfers, one by one")
	lines := b.lines(d, view, "Running sum against the threshold")
	if len(grid.Rows) != len(a.transfers) || len(lines) != 2 || len(lines[0].Values) != len(a.transfers) || len(lines[1].Values) != len(a.transfers) {
		b.t.Fatalf("Grafana %s: %d transfers and %d series behind %d -> %d, want %d and 2", b.kind, len(grid.Rows), len(lines), a.source, a.target, len(a.transfers))
	}
	sum, left := 0.0, map[string]int{}
	for i, moved := range transfers(a.transfers) {
		left[fmt.Sprintf("%d %s %d", moved.At, a.transfers[i].City, moved.Amount)]++
	}
	for i, row := range grid.Rows {
		left[fmt.Sprintf("%v %v %v", row[0], row[1], row[2])]--
		sum += float64(numberOf(row[2]))
		if lines[0].Values[i] != sum && i == len(grid.Rows)-1 || lines[0].Times[i] != numberOf(row[0]) {
			b.t.Errorf("Grafana %s: after %d transfers the sum is %v at %d, want %v at %v", b.kind, i+1, lines[0].Values[i], lines[0].Times[i], sum, row[0])
		}
		if lines[1].Values[i] != 10000 {
			b.t.Errorf("Grafana %s: the threshold is %v, want 10000", b.kind, lines[1].Values[i])
		}
	}
	for transfer, count := range left {
		if count != 0 {
			b.t.Errorf("Grafana %s: transfer %s is missing or too much", b.kind, transfer)
		}
	}
	b.choosesPair(d, view, a, found)
	if marks := b.alertMarks(d, view); len(marks.Rows) != 1 {
		b.t.Errorf("Grafana %s: %d alerts of the pair are marked, want 1", b.kind, len(marks.Rows))
	}
}

// choosesPair looks at what the variables offer.
func (b *browser) choosesPair(d dashboards.Dashboard, view dashboards.View, a known, found knownAlert) {
	b.t.Helper()
	var sources []string
	for _, other := range slices.Backward(found) { // 7 before 516
		sources = append(sources, fmt.Sprint(other.source))
	}
	want := map[string][]string{"source": sources, "target": {fmt.Sprint(a.target)}, "threshold": {"10000"}}
	for _, v := range d.Variables {
		if got := b.lookup(d, v, view); !slices.Equal(got, want[v.Name]) {
			b.t.Errorf("Grafana %s: variable %s offers %q, want %q", b.kind, v.Name, got, want[v.Name])
		}
	}
}
