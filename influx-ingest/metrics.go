package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fintrans/internal/consume"
)

// metrics is what the ingest tells of itself at /metrics.
type metrics struct {
	points   []prometheus.Counter // by topic
	expired  []prometheus.Counter // by topic
	rejected *prometheus.CounterVec
	writes   *prometheus.CounterVec
	duration prometheus.Histogram
	batches  prometheus.Histogram
	retries  prometheus.Counter
	age      prometheus.Histogram
	commits  prometheus.Counter
	pauses   prometheus.Counter
	gone     *consume.Gone
	prefix   string
	registry prometheus.Registerer
}

// newMetrics registers the metrics of a stream: their names begin with the prefix, and some are there for
// each of the topics, which the label names.
func newMetrics(reg prometheus.Registerer, prefix, label string, topics []string) *metrics {
	m := &metrics{prefix: prefix, registry: reg}
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: prefix + name, Help: help})
		reg.MustRegister(c)
		return c
	}
	labelled := func(name, help, label string, values []string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + name, Help: help}, []string{label})
		reg.MustRegister(c)
		for _, value := range values {
			c.WithLabelValues(value)
		}
		return c
	}
	histogram := func(name, help string, buckets []float64) prometheus.Histogram {
		h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: prefix + name, Help: help, Buckets: buckets})
		reg.MustRegister(h)
		return h
	}
	points := labelled("_points_total", "Points written. Those that InfluxDB dropped of a write that it accepted are in _rejected_total, too.", label, topics)
	expired := labelled("_expired_total", "Records older than the retention, which are not sent.", label, topics)
	for _, topic := range topics {
		m.points = append(m.points, points.WithLabelValues(topic))
		m.expired = append(m.expired, expired.WithLabelValues(topic))
	}
	m.rejected = labelled("_rejected_total", "Points that InfluxDB refused for good, by reason.", "reason", rejectReasons())
	m.writes = labelled("_writes_total", "POSTs to InfluxDB, by what came of them.", "result", kindNames[:])
	m.duration = histogram("_write_duration_seconds", "Time that a POST took.", prometheus.ExponentialBuckets(0.001, 2, 14))
	m.batches = histogram("_batch_points", "Points of a POST.", prometheus.ExponentialBuckets(1, 2, 15))
	m.retries = counter("_retries_total", "Attempts to write or to make the database that are to be repeated.")
	m.age = histogram("_record_to_stored_seconds", "Age of a batch's oldest record when InfluxDB has accepted it.", prometheus.ExponentialBuckets(0.008, 2, 20))
	m.commits = counter("_commits_total", "Commits asked for while records flow.")
	m.gone = consume.NewGone(counter("_records_gone_total", "Offsets that Kafka deleted before they were read."))
	m.pauses = counter("_pauses_total", "Times that a partition was paused because InfluxDB was behind.")
	return m
}

// watch registers what is held in memory, looked up at the scrape.
func (m *metrics) watch(buffered func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: m.prefix + "_buffered_records", Help: "Records that were read and are not written yet.",
	}, buffered))
}

// wrote counts one POST.
func (m *metrics) wrote(v verdict, points int, took time.Duration) {
	m.writes.WithLabelValues(v.kind.String()).Inc()
	m.duration.Observe(took.Seconds())
	m.batches.Observe(float64(points))
}

// stored counts a payload of which everything is written or refused for good.
func (m *metrics) stored(load *payload) {
	now := time.Now().UnixMilli()
	for i, b := range load.batches {
		m.points[load.feeds[i].city].Add(float64(b.points() - b.refused))
		if b.points() > 0 {
			m.age.Observe(float64(max(0, now-b.oldest)) / 1000)
		}
	}
}
