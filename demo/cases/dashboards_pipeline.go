package cases

import (
	"encoding/json"
	"fmt"
	"time"

	"fintrans/demo/harness"
)

// numberOf is a whole number of a table.
func numberOf(cell any) int64 {
	if n, ok := cell.(json.Number); ok {
		if value, err := n.Int64(); err == nil {
			return value
		}
	}
	return -1
}

// seesPipeline writes reports of known work of both services and compares dashboard Fintrans pipeline with them.
func (b *browser) seesPipeline() {
	now := time.Now()
	begin := now.Add(-5 * time.Minute).Truncate(30 * time.Second)
	var lines []string
	report := func(at time.Time, tags, fields string) {
		lines = append(lines, fmt.Sprintf("pipeline,%s %s %d", tags, fields, at.UnixNano()))
	}
	for i := range 3 { // an interval of 30 s
		at := begin.Add(time.Duration(5+10*i) * time.Second)
		report(at, "service=influx-ingest,instance=a,city=London", fmt.Sprintf("records=%di,lag_records=%di,lag_seconds=%d.5", 100*(i+1), 5-i, i))
		report(at, "service=influx-ingest,instance=b,city=London", "records=30i,lag_records=7i,lag_seconds=0.25")
		report(at, "service=laundering-detector,instance=x,city=SF", "records=60i,lag_records=1i,lag_seconds=4")
		report(at, "service=influx-ingest,instance=a", "retries=2i")
		report(at, "service=laundering-detector,instance=x", fmt.Sprintf("retries=1i,window_transactions=%di,window_pairs=20i,window_bytes=4096i,alerts=1i", 1000+i))
		report(at, "service=laundering-detector,instance=y", "retries=0i,window_transactions=500i,window_pairs=10i,window_bytes=1024i,alerts=0i")
	}
	report(begin.Add(5*time.Second), "service=influx-ingest,instance=a,city=NYC,reason=empty", "bad=2i")
	report(begin.Add(15*time.Second), "service=influx-ingest,instance=a,city=SF,reason=empty", "bad=3i")
	report(begin.Add(15*time.Second), "service=laundering-detector,instance=x,city=SF,reason=overflow", "bad=4i")
	oldest := now.Add(-90 * time.Second).UnixMilli()
	for i := range 2 { // now; of each city and instance the last counts
		at := now.Add(time.Duration(i-2) * time.Second)
		report(at, "service=influx-ingest,instance=a,city=London", fmt.Sprintf("records=0i,lag_records=%di,oldest_ms=%di", 40+i, oldest))
		report(at, "service=influx-ingest,instance=b,city=NYC", fmt.Sprintf("records=0i,lag_records=6i,oldest_ms=%di", oldest+7))
	}
	b.write("hour", lines...)

	d, view := b.open("fintrans-pipeline", nil)
	b.shows(d, view, "influx-ingest: records waiting", 47)
	b.shows(d, view, "Oldest record not dealt with", float64(oldest))
	if _, ok := b.number(d, view, "laundering-detector: records waiting"); ok {
		b.t.Errorf("Grafana %s: a detector that does not report has records waiting", b.kind)
	}
	at := begin.UnixMilli()
	for title, want := range map[string]map[string]float64{
		"influx-ingest: records per second":       {"London": 23},
		"laundering-detector: records per second": {"SF": 6},
		"Lag in records":                          {"influx-ingest London": 10, "laundering-detector SF": 1},
		"Lag in seconds":                          {"influx-ingest London": 2.5, "laundering-detector SF": 4},
		"Bad records":                             {"influx-ingest empty": 5, "laundering-detector overflow": 4},
		"Retries":                                 {"influx-ingest": 6, "laundering-detector": 3},
		"Window of the detector":                  {"transactions": 1502, "pairs": 30},
		"Memory of the window":                    {"bytes": 5120},
	} {
		for _, line := range b.lines(d, view, title) {
			for i, time := range line.Times {
				if known, ok := want[line.Name]; ok && time == at {
					if !near(line.Values[i], known) {
						b.t.Errorf("Grafana %s: %q: %s is %v, want %v", b.kind, title, line.Name, line.Values[i], known)
					}
					delete(want, line.Name)
				}
			}
		}
		if len(want) > 0 {
			b.t.Errorf("Grafana %s: %q does not show %v", b.kind, title, want)
		}
	}
	got := map[string]int64{}
	for _, row := range b.grid(d, view, "Bad records by reason").Rows {
		got[text(row[1])] = numberOf(row[2])
	}
	if len(got) != 1 || got["empty"] != 5 {
		b.t.Errorf("Grafana %s: bad records by reason, as the ingest counts them: %v, want empty 5", b.kind, got)
	}
}

// seesReports waits until the services' own reports are on dashboard Fintrans pipeline and say that nothing waits.
func (b *browser) seesReports() {
	harness.Eventually(b.t, func() (bool, string) {
		d, view := b.open("fintrans-pipeline", nil)
		for _, service := range []string{ingest, detector} {
			if waiting, ok := b.number(d, view, service+": records waiting"); !ok || waiting != 0 {
				return false, fmt.Sprintf("Grafana %s: %v records of %s wait (%v), want 0", b.kind, waiting, service, ok)
			}
			if lines := b.lines(d, view, service+": records per second"); len(lines) != len(harness.Cities()) {
				return false, fmt.Sprintf("Grafana %s: %s reports rates of %d cities, want all", b.kind, service, len(lines))
			}
		}
		pairs := b.lines(d, view, "Window of the detector")
		return len(pairs) == 2, fmt.Sprintf("Grafana %s: the detector's window has %d series, want 2", b.kind, len(pairs))
	})
}
