package dashboards_test

import (
	"testing"
	"time"

	"fintrans/demo/dashboards"
)

// The expectations are what the sources of either Grafana do: 5.1's templateSrv and InfluxDB data source, and the
// current ones with their backend.
func TestExpand(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(1764064800123)
	hour := dashboards.Range{From: "now-1h", To: "now"}
	absolute := dashboards.Range{From: "1764064700456", To: "1764064800999"}
	for _, c := range []struct {
		name   string
		kind   dashboards.Kind
		query  string
		values dashboards.Values
		within dashboards.Range
		want   string
	}{
		{"5, relative", dashboards.Grafana5, "WHERE $timeFilter", nil, hour, "WHERE time > now() - 1h"},
		{"5, absolute", dashboards.Grafana5, "WHERE $timeFilter", nil, absolute, "WHERE time > 1764064700s and time < 1764064801s"},
		{"5, until now", dashboards.Grafana5, "WHERE $timeFilter", nil, dashboards.Range{From: absolute.From, To: "now"}, "WHERE time > 1764064700s and time < now()"},
		{"current, relative", dashboards.Current, "WHERE $timeFilter", nil, hour, "WHERE time >= 1764061200123ms and time <= 1764064800123ms"},
		{"current, absolute", dashboards.Current, "WHERE $timeFilter", nil, absolute, "WHERE time >= 1764064700456ms and time <= 1764064800999ms"},
		{"all cities", dashboards.Grafana5, "/^$city$/", dashboards.Values{"city": {"London", "N.C"}}, hour, `/^(London|N\.C)$/`},
		{"one city", dashboards.Current, "/^$city$/", dashboards.Values{"city": {"London"}}, hour, "/^London$/"},
		{"step", dashboards.Current, `time($step), "city"`, dashboards.Values{"step": {"30s"}}, hour, `time(30s), "city"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d, _ := dashboards.Find(load(t, c.kind), "fintrans")
			got, err := d.Expand(c.query, c.values, c.within, now)
			if err != nil || got != c.want {
				t.Errorf("got %q (%v), want %q", got, err, c.want)
			}
		})
	}
}

func TestExpandWithoutValue(t *testing.T) {
	t.Parallel()
	d, _ := dashboards.Find(load(t, dashboards.Grafana5), "fintrans-transfers")
	got, err := d.Expand(`"source" = 0$source`, nil, d.Range, time.Now())
	if want := `"source" = 0`; err != nil || got != want {
		t.Errorf("got %q (%v), want %q", got, err, want)
	}
}

func TestExpandRefuses(t *testing.T) {
	t.Parallel()
	d, _ := dashboards.Find(load(t, dashboards.Current), "fintrans")
	for query, within := range map[string]dashboards.Range{
		"$unknown":    d.Range,
		"$timeFilter": {From: "yesterday", To: "now"},
	} {
		if got, err := d.Expand(query, nil, within, time.Now()); err == nil {
			t.Errorf("%q in %v becomes %q, want an error", query, within, got)
		}
	}
}
