package pipeline

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fintrans/internal/alert"
)

// service is a registry with what a consumer has.
type service struct {
	*prometheus.Registry
	records, bad *prometheus.CounterVec
	retries      prometheus.Counter
	alerts       prometheus.Counter
	lag, age     *prometheus.GaugeVec
	window       prometheus.Gauge
}

func newService() *service {
	counter := func(name string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: "x"}, labels)
	}
	gauge := func(name string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: "x"}, []string{"topic", "partition"})
	}
	s := &service{
		Registry: prometheus.NewRegistry(),
		records:  counter("x_records_total", "city"), bad: counter("x_bad_records_total", "topic", "reason"),
		retries: prometheus.NewCounter(prometheus.CounterOpts{Name: "x_retries_total", Help: "x"}),
		alerts:  prometheus.NewCounter(prometheus.CounterOpts{Name: "x_alerts_total", Help: "x"}),
		lag:     gauge("x_consumer_lag_records"), age: gauge("x_consumer_lag_seconds"),
		window: prometheus.NewGauge(prometheus.GaugeOpts{Name: "x_window_bytes", Help: "x"}),
	}
	s.MustRegister(s.records, s.bad, s.retries, s.alerts, s.lag, s.age, s.window)
	return s
}

// show is a point in short, without what all have in common.
func show(p Point) string {
	text := strings.TrimSpace(p.City + " " + p.Reason)
	for _, f := range p.Fields() {
		if f.Value != int64(0) && f.Value != float64(0) {
			text += fmt.Sprintf(" %s=%v", f.Name, f.Value)
		}
	}
	return text
}

func TestCollect(t *testing.T) {
	t.Parallel()
	s := newService()
	c := NewCollector(Source{
		Service: "svc", Prefix: "x", Records: []string{"x_records_total"}, Bad: true, Retries: []string{"x_retries_total"}, Window: true,
	}, s, "one")
	var points []Point
	now := time.UnixMilli(1_700_000_000_000)
	check := func(when string, want ...string) {
		t.Helper()
		var err error
		if points, err = c.Collect(now); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range points {
			if p.Service != "svc" || p.Instance != "one" || int64(p.Time) != now.UnixMilli() {
				t.Errorf("%s: %+v", when, p)
			}
			if text := strings.TrimSpace(show(p)); strings.Contains(text, "=") {
				got = append(got, text)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: got %q, want %q", when, got, want)
		}
		if least := 6; len(points) < least {
			t.Errorf("%s: %d points, want one of each city and one of the instance at least", when, len(points))
		}
	}
	check("at first")
	s.records.WithLabelValues("London").Add(10)
	s.records.WithLabelValues("NYC").Add(3)
	s.bad.WithLabelValues("NYC", "empty").Add(2)
	s.lag.WithLabelValues("London", "0").Set(5)
	s.lag.WithLabelValues("London", "1").Set(7)
	s.age.WithLabelValues("London", "0").Set(1.5)
	s.age.WithLabelValues("London", "1").Set(0.5)
	s.retries.Add(4)
	s.alerts.Add(1)
	s.window.Set(1000)
	c.Sent(points...)
	check("then", "London records=10 lag_records=12 oldest_ms=1699999998500 lag_seconds=1.5", "NYC records=5", "NYC empty bad=2",
		"retries=4 window_bytes=1000 alerts=1")
	check("those were dropped", "London records=10 lag_records=12 oldest_ms=1699999998500 lag_seconds=1.5", "NYC records=5", "NYC empty bad=2",
		"retries=4 window_bytes=1000 alerts=1")
	c.Sent(points...)
	s.records.WithLabelValues("London").Add(1)
	s.lag.Reset()
	s.age.Reset()
	check("what is counted was counted", "London records=1", "window_bytes=1000")
}

// A topic may take some points and refuse others: only what the others count is counted again.
func TestPointsArriveOnTheirOwn(t *testing.T) {
	t.Parallel()
	s := newService()
	c := NewCollector(Source{
		Service: "svc", Prefix: "x", Records: []string{"x_records_total"}, Bad: true, Retries: []string{"x_retries_total"}, Window: true,
	}, s, "one")
	collect := func(want ...string) []Point {
		t.Helper()
		points, err := c.Collect(time.UnixMilli(1_700_000_000_000))
		if err != nil {
			t.Fatal(err)
		}
		var counting []Point
		var got []string
		for _, p := range points {
			if text := show(p); strings.Contains(text, "=") {
				counting, got = append(counting, p), append(got, strings.TrimSpace(text))
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("got %q, want %q", got, want)
		}
		return counting
	}
	s.records.WithLabelValues("London").Add(10)
	s.records.WithLabelValues("NYC").Add(3)
	s.bad.WithLabelValues("NYC", "empty").Add(2)
	s.bad.WithLabelValues("NYC", "overflow").Add(1)
	s.retries.Add(4)
	s.alerts.Add(1)
	points := collect("London records=10", "NYC records=6", "NYC empty bad=2", "NYC overflow bad=1", "retries=4 alerts=1")
	c.Sent(points[1], points[3])
	points = collect("London records=10", "NYC empty bad=2", "retries=4 alerts=1")
	c.Sent(points[2], points[0])
	s.bad.WithLabelValues("NYC", "empty").Add(1)
	points = collect("NYC records=1", "NYC empty bad=3")
	c.Sent(points...)
	collect()
}

func TestAnInstanceWithoutANameGetsOne(t *testing.T) {
	t.Parallel()
	if c := NewCollector(Source{}, newService(), ""); !validTag(c.instance) {
		t.Errorf("got %q", c.instance)
	}
}

func TestEncodeAndParse(t *testing.T) {
	t.Parallel()
	n, f := int64(3), 1.5
	p := Point{Service: "svc", Instance: "one", City: "London", Time: 1_700_000_000_000, Records: &n, LagSeconds: &f}
	const want = `{"service":"svc","instance":"one","city":"London","time":"2023-11-14T22:13:20.000Z","records":3,"lag_seconds":1.5}`
	if got := string(p.Encode()); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	got, reason := Parse([]byte(want))
	if reason != alert.None || string(got.Encode()) != want {
		t.Errorf("got %s, %v", got.Encode(), reason)
	}
	for value, reason := range map[string]alert.Reason{
		"":        alert.Empty,
		"noise":   alert.NotJSON,
		"[]":      alert.Fields,
		"{}":      alert.Fields,
		`{"a":1}`: alert.Fields,
		strings.Replace(want, "London", "Paris", 1):                        alert.Fields,
		strings.Replace(want, `"svc"`, `""`, 1):                            alert.Fields,
		strings.Replace(want, `"svc"`, `"a\nb"`, 1):                        alert.Fields,
		strings.Replace(want, `"one"`, `"a\\b"`, 1):                        alert.Fields,
		strings.Replace(want, `"records":3,"lag_seconds":1.5`, `"x":1`, 1): alert.Fields,
		strings.Replace(want, "2023", "1923", 1):                           alert.Fields,
		strings.Replace(want, `"records":3`, `"records":"3"`, 1):           alert.Fields,
		strings.Replace(want, "one", strings.Repeat("x", 300), 1):          alert.Fields,
	} {
		if _, got := Parse([]byte(value)); got != reason {
			t.Errorf("%s: got %v, want %v", value, got, reason)
		}
	}
}
