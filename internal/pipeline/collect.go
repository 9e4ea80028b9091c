package pipeline

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"fintrans/internal/alert"
	"fintrans/internal/transaction"
)

// Every is the time between two sets of points of an instance.
const Every = 10 * time.Second

// Source says which metrics of a service are what.
type Source struct {
	Service string
	// Prefix of the metrics' names, e.g. "influx_ingest": those of consume have it.
	Prefix string
	// Records are counters, by label city, that add up to the records dealt with.
	Records []string
	// Bad is whether bad records have to be added to them.
	Bad bool
	// Retries are counters that add up to the retries.
	Retries []string
	// Window is whether there are gauges of a window, and a counter of alerts.
	Window bool
}

// Collector makes points of what the metrics say. It is not safe for concurrent use.
type Collector struct {
	source   Source
	metrics  prometheus.Gatherer
	instance string
	before   map[string]float64 // counters at the last points that were sent
}

// NewCollector returns a Collector of an instance, whose first points count from zero. The instance's name is
// made up where it is empty: what it is called is the same until it ends.
func NewCollector(source Source, metrics prometheus.Gatherer, instance string) *Collector {
	if instance == "" {
		host, err := os.Hostname()
		if err != nil {
			host = "unknown"
		}
		instance = fmt.Sprintf("%s-%06x", host, rand.N(1<<24))
	}
	return &Collector{source: source, metrics: metrics, instance: instance, before: map[string]float64{}}
}

// Sent says that points have arrived: the next of the same tags count from there. Without it they count what those
// did once more, so that of points that were dropped only the moment is lost.
func (c *Collector) Sent(points ...Point) {
	for _, p := range points {
		maps.Copy(c.before, p.counters)
	}
}

// Collect returns the points of this moment.
func (c *Collector) Collect(now time.Time) ([]Point, error) {
	found, err := c.metrics.Gather()
	if err != nil {
		return nil, fmt.Errorf("gather metrics: %w", err)
	}
	families := make(map[string]*dto.MetricFamily, len(found))
	for _, family := range found {
		families[family.GetName()] = family
	}
	g := gathered{families, c}
	var points []Point
	for _, city := range transaction.Cities() {
		points = append(points, c.city(g, city, now)...)
	}
	return append(points, c.whole(g, now)), nil
}

func (c *Collector) point(now time.Time) Point {
	return Point{Service: c.source.Service, Instance: c.instance, Time: alert.Millis(now.UnixMilli()), counters: map[string]float64{}}
}

// city returns the point of the city, and one for each reason for which records of it were skipped.
func (c *Collector) city(g gathered, city string, now time.Time) []Point {
	p := c.point(now)
	p.City = city
	records := int64(0)
	for _, name := range c.source.Records {
		records += g.delta(p, name, "city", city, "")
	}
	var bad []Point
	for _, reason := range transaction.Reasons() {
		b := c.point(now)
		b.City, b.Reason = city, reason.String()
		name := c.source.Prefix + "_bad_records_total"
		if n := g.delta(b, name, "topic", city, b.Reason); n > 0 {
			b.Bad = &n
			bad = append(bad, b)
		}
		if c.source.Bad {
			records += g.delta(p, name, "topic", city, b.Reason)
		}
	}
	p.Records = &records
	lag, seconds := g.sum(c.source.Prefix+"_consumer_lag_records", city), g.largest(c.source.Prefix+"_consumer_lag_seconds", city)
	lagRecords := int64(lag)
	p.LagRecords, p.LagSeconds = &lagRecords, &seconds
	if lag > 0 && seconds > 0 {
		oldest := now.UnixMilli() - int64(seconds*1000)
		p.OldestMS = &oldest
	}
	return append([]Point{p}, bad...)
}

// whole returns the point of the instance.
func (c *Collector) whole(g gathered, now time.Time) Point {
	p := c.point(now)
	retries := int64(0)
	for _, name := range c.source.Retries {
		retries += g.delta(p, name, "", "", "")
	}
	p.Retries = &retries
	if c.source.Window {
		gauge := func(name string) *int64 {
			n := int64(g.sum(c.source.Prefix+name, ""))
			return &n
		}
		p.WindowTransactions, p.WindowPairs, p.WindowBytes = gauge("_window_transactions"), gauge("_window_pairs"), gauge("_window_bytes")
		alerts := g.delta(p, c.source.Prefix+"_alerts_total", "", "", "")
		p.Alerts = &alerts
	}
	return p
}

// gathered are the metrics of one moment.
type gathered struct {
	families  map[string]*dto.MetricFamily
	collector *Collector
}

// delta is by how much a counter has grown since the last such point that was sent: that of all samples with this value of
// the label, and with this reason.
func (g gathered) delta(of Point, name, label, value, reason string) int64 {
	total := 0.0
	for _, m := range g.families[name].GetMetric() {
		if has(m, label, value) && has(m, "reason", reason) {
			total += m.GetCounter().GetValue()
		}
	}
	key := of.City + " " + of.Reason + " " + name + " " + reason
	of.counters[key] = total
	return int64(total - g.collector.before[key])
}

// sum adds up a gauge over the partitions of a topic; over all samples where topic is empty.
func (g gathered) sum(name, topic string) float64 {
	total := 0.0
	for _, m := range g.families[name].GetMetric() {
		if has(m, "topic", topic) {
			total += m.GetGauge().GetValue()
		}
	}
	return total
}

// largest is a gauge's largest value over the partitions of a topic.
func (g gathered) largest(name, topic string) float64 {
	most := 0.0
	for _, m := range g.families[name].GetMetric() {
		if has(m, "topic", topic) {
			most = max(most, m.GetGauge().GetValue())
		}
	}
	return most
}

// has tells whether a sample has this value of the label; an empty value is any.
func has(m *dto.Metric, label, value string) bool {
	if value == "" {
		return true
	}
	for _, pair := range m.GetLabel() {
		if pair.GetName() == label {
			return pair.GetValue() == value
		}
	}
	return false
}
