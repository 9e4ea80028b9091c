package cases

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"fintrans/demo/dashboards"
	"fintrans/demo/harness"
)

// Dashboards asks every query of every panel, expanded as both generations of Grafana expand them: before there
// is anything, and after a run with known transactions, alerts and reports. What a panel shows is what is known.
func Dashboards(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	b := &browser{t: t, influx: dashboards.Influx{URL: s.Influx.URL(), Database: "fintrans"}}
	b.eachKind(b.nothing) // not even a database
	in := s.Start(ingest, quick)
	in.AwaitReady()
	b.eachKind(b.nothing)

	money := knownMoney()
	s.Produce(money...)
	s.AwaitVolumes(volumes(money))
	term(t, in)
	found := knownAlerts(money, [2]uint32{516, 482}, [2]uint32{7, 482})
	b.write("month", found.lines()...)
	b.eachKind(func() { b.seesMoney(money, found) })
	b.eachKind(func() { b.followsAlerts(found) })
	b.eachKind(func() {
		s.Query("DROP MEASUREMENT pipeline") // the reports of the ingest itself, and those for the other kind
		b.seesPipeline()
	})
}

// AlertsLeadToTransfers lets the services themselves find the money and the alert, and opens the transfers behind it.
func AlertsLeadToTransfers(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	b := &browser{t: t, influx: dashboards.Influx{URL: s.Influx.URL(), Database: "fintrans"}}
	money := flow{seed: 7, number: 1000, accounts: 40, largest: 50, span: 50 * time.Minute, weights: []int{1, 1, 1, 1, 1}}.transactions()
	money = append(money, ring(time.UnixMilli(time.Now().Add(-5*time.Minute).UnixMilli()))...)
	in, det := s.Start(ingest, publishing(reporting(quick))), s.Start(detector, publishing(reporting(rules(tenMinutes, time.Hour))))
	s.Produce(money...)
	s.AwaitVolumes(volumes(money))
	found := knownAlerts(money, [2]uint32{516, 482})
	b.eachKind(func() {
		d, view := b.open("fintrans", nil)
		harness.Eventually(t, func() (bool, string) {
			view.Now = time.Now()
			grid := b.grid(d, view, "Alerts")
			return len(grid.Rows) == len(found), fmt.Sprintf("%d alerts are in the table, want %d", len(grid.Rows), len(found))
		})
		b.followsAlerts(found)
		b.seesReports()
	})
	term(t, in, det)
}

// browser looks at dashboards as a person does.
type browser struct {
	t      testing.TB
	influx dashboards.Influx
	kind   dashboards.Kind
	all    []dashboards.Dashboard
}

func (b *browser) eachKind(look func()) {
	b.t.Helper()
	for _, kind := range []dashboards.Kind{dashboards.Grafana5, dashboards.Current} {
		all, err := dashboards.Load(kind)
		if err != nil {
			b.t.Fatal(err)
		}
		b.kind, b.all = kind, all
		look()
	}
}

// open returns a dashboard and the view of it that it opens with, with other values of the variables where they
// are given.
func (b *browser) open(uid string, chosen dashboards.Values) (dashboards.Dashboard, dashboards.View) {
	b.t.Helper()
	d, ok := dashboards.Find(b.all, uid)
	if !ok {
		b.t.Fatalf("Grafana %s: no dashboard %q", b.kind, uid)
	}
	view := dashboards.View{Values: dashboards.Values{}, Range: d.Range, Now: time.Now()}
	for _, v := range d.Variables {
		switch {
		case chosen[v.Name] != nil:
			view.Values[v.Name] = chosen[v.Name]
		case v.Query != "":
			if values := b.lookup(d, v, view); len(values) > 0 {
				view.Values[v.Name] = values[:1]
			}
		case v.Chosen == dashboards.AllValues:
			view.Values[v.Name] = v.Values
		default:
			view.Values[v.Name] = []string{v.Chosen}
		}
	}
	return d, view
}

func (b *browser) lookup(d dashboards.Dashboard, v dashboards.Variable, view dashboards.View) []string {
	b.t.Helper()
	values, err := d.Lookup(b.t.Context(), b.influx, v, view)
	if err != nil {
		b.t.Fatalf("Grafana %s: %v", b.kind, err)
	}
	return values
}

func (b *browser) lines(d dashboards.Dashboard, view dashboards.View, title string) []dashboards.Line {
	b.t.Helper()
	p := b.panel(d, title)
	lines, err := d.Lines(b.t.Context(), b.influx, p, view)
	if err != nil {
		b.t.Fatalf("Grafana %s: %v", b.kind, err)
	}
	return lines
}

func (b *browser) grid(d dashboards.Dashboard, view dashboards.View, title string) dashboards.Grid {
	b.t.Helper()
	grid, err := d.Grid(b.t.Context(), b.influx, b.panel(d, title), view)
	if err != nil {
		b.t.Fatalf("Grafana %s: %v", b.kind, err)
	}
	return grid
}

func (b *browser) panel(d dashboards.Dashboard, title string) dashboards.Panel {
	b.t.Helper()
	p, ok := d.Panel(title)
	if !ok {
		b.t.Fatalf("Grafana %s: dashboard %q has no panel %q", b.kind, d.Title, title)
	}
	return p
}

// number returns what a stat shows; ok is false where there is no value.
func (b *browser) number(d dashboards.Dashboard, view dashboards.View, title string) (value float64, ok bool) {
	b.t.Helper()
	lines := b.lines(d, view, title)
	switch {
	case len(lines) == 0:
		return 0, false
	case len(lines) > 1:
		b.t.Fatalf("Grafana %s: panel %q has %d series, Grafana 5 can show one", b.kind, title, len(lines))
	}
	return lines[0].Values[len(lines[0].Values)-1], true
}

// shows compares a stat.
func (b *browser) shows(d dashboards.Dashboard, view dashboards.View, title string, want float64) {
	b.t.Helper()
	if got, ok := b.number(d, view, title); !ok || !near(got, want) {
		b.t.Errorf("Grafana %s: %q shows %v (%v), want %v", b.kind, title, got, ok, want)
	}
}

// nothing looks at all panels while there is nothing to see: they are empty, none fails.
func (b *browser) nothing() {
	b.t.Helper()
	for _, d := range b.all {
		_, view := b.open(d.UID, nil)
		for _, p := range d.Panels {
			switch p.Shape {
			case dashboards.Text:
			case dashboards.Table:
				if grid := b.grid(d, view, p.Title); len(grid.Rows) > 0 {
					b.t.Errorf("Grafana %s: %q has rows before there is anything: %v", b.kind, p.Title, grid.Rows)
				}
			default:
				if lines := b.lines(d, view, p.Title); len(lines) > 0 && d.UID != "fintrans-pipeline" {
					b.t.Errorf("Grafana %s: %q has series before there is anything: %v", b.kind, p.Title, lines)
				}
			}
		}
		b.alertMarks(d, view)
	}
}

func (b *browser) alertMarks(d dashboards.Dashboard, view dashboards.View) dashboards.Grid {
	b.t.Helper()
	marks, err := d.Alerts(b.t.Context(), b.influx, view)
	if err != nil {
		b.t.Fatalf("Grafana %s: annotations: %v", b.kind, err)
	}
	return marks
}

// write writes points in the line protocol.
func (b *browser) write(policy string, lines ...string) {
	b.t.Helper()
	address := b.influx.URL + "/write?" + url.Values{"db": {"fintrans"}, "rp": {policy}}.Encode()
	request, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, address, bytes.NewBufferString(strings.Join(lines, "\n")))
	if err != nil {
		b.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent {
		b.t.Fatalf("write %d points: %s %s", len(lines), answer.Status, answer.Header.Get("X-Influxdb-Error"))
	}
}

// near compares sums and averages, which InfluxDB adds up in an order of its own.
func near(a, b float64) bool { return a-b < 1e-6*(1+b) && b-a < 1e-6*(1+b) }

// text is a cell as a person reads it.
func text(cell any) string { return fmt.Sprint(cell) }
