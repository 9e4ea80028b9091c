package main

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"

	"fintrans/internal/consume"
	"fintrans/internal/service"
	"fintrans/internal/window"
)

// metrics is what the detector tells of itself at /metrics.
type metrics struct {
	transactions []prometheus.Counter // by city
	batches      prometheus.Histogram
	judging      prometheus.Histogram
	alerts       prometheus.Counter
	alertLatency prometheus.Histogram
	late         prometheus.Counter
	misrouted    prometheus.Counter
	gone         *consume.Gone
	incomplete   prometheus.Counter
	commits      prometheus.Counter
	pauses       prometheus.Counter
	rebuilding   prometheus.Gauge
	readBack     prometheus.Counter
	rebuilds     prometheus.Histogram

	published      prometheus.Counter
	publishing     prometheus.Histogram
	publishRetries prometheus.Counter
	unpublished    prometheus.Gauge
	known          prometheus.Counter
	unrecalled     prometheus.Counter
	foreign        prometheus.Counter

	routes *service.Throttle
	mu     sync.Mutex
	sizes  map[int32]window.Size
}

func newMetrics(d *detector) *metrics {
	m := &metrics{routes: service.NewThrottle(time.Minute), sizes: map[int32]window.Size{}}
	reg := d.rt.Metrics
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: prefix + name, Help: help})
		reg.MustRegister(c)
		return c
	}
	histogram := func(name, help string, buckets []float64) prometheus.Histogram {
		h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: prefix + name, Help: help, Buckets: buckets})
		reg.MustRegister(h)
		return h
	}
	cities := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: prefix + "_records_total", Help: "Records dealt with, bad ones included.",
	}, []string{"city"})
	reg.MustRegister(cities)
	for _, city := range d.topics {
		m.transactions = append(m.transactions, cities.WithLabelValues(city))
	}
	m.batches = histogram("_batch_records", "Records judged in one go.", prometheus.ExponentialBuckets(1, 2, 9))
	m.judging = histogram("_batch_duration_seconds", "Time to judge a batch, its alerts' lines included.", prometheus.ExponentialBuckets(1e-6, 4, 12))
	m.alerts = counter("_alerts_total", "Alert lines written.")
	m.alertLatency = histogram("_alert_latency_seconds", "From the time of a transaction to its alert's line.", prometheus.ExponentialBuckets(0.001, 2, 18))
	m.late = counter("_late_transactions_total", "Transactions older than a predecessor in their partition by more than ALERT_LATENESS.")
	m.misrouted = counter("_misrouted_records_total", "Records in another partition than the hash of their pair says.")
	m.gone = consume.NewGone(counter("_records_gone_total", "Offsets that Kafka deleted before they were judged."))
	m.incomplete = counter("_incomplete_rebuilds_total", "Partitions whose log began within the window that was read back.")
	m.commits = counter("_commits_total", "Commits asked for while records flow.")
	m.pauses = counter("_pauses_total", "Times that a topic was paused for being far ahead of the others.")
	m.readBack = counter("_rebuild_records_total", "Transactions read back silently after a start or a rebalance.")
	m.rebuilds = histogram("_rebuild_duration_seconds", "Time to read a partition number's window back.", prometheus.ExponentialBuckets(0.001, 2, 18))
	m.rebuilding = prometheus.NewGauge(prometheus.GaugeOpts{Name: prefix + "_rebuilding", Help: "Partition numbers whose window is being read back."})
	reg.MustRegister(m.rebuilding)
	m.published = counter("_alerts_published_total", "Alerts that the alert topic has acknowledged.")
	m.publishing = histogram("_publish_duration_seconds", "From an alert's line to the acknowledgement of the alert topic.", prometheus.ExponentialBuckets(0.001, 2, 18))
	m.publishRetries = counter("_publish_retries_total", "Attempts to publish alerts that are to be repeated.")
	m.known = counter("_alerts_known_total", "Alerts that were not written again because the alert topic has them.")
	m.unrecalled = counter("_alerts_unread_total", "Partition numbers that were rebuilt although their published alerts could not be read back.")
	m.foreign = counter("_bad_alerts_total", "Records of the alert topic that are no alerts.")
	m.unpublished = prometheus.NewGauge(prometheus.GaugeOpts{Name: prefix + "_alerts_unpublished", Help: "Alerts whose lines are out and that the alert topic has not acknowledged yet."})
	reg.MustRegister(m.unpublished)
	m.gauges(reg)
	return m
}

// publish counts an alert that the alert topic has acknowledged.
func (m *metrics) publish(took time.Duration) {
	m.published.Inc()
	m.publishing.Observe(took.Seconds())
	m.unpublished.Dec()
}

// gauges registers what the windows of all shards hold, added up at the scrape.
func (m *metrics) gauges(reg prometheus.Registerer) {
	sum := func(of func(window.Size) float64) func() float64 {
		return func() float64 {
			m.mu.Lock()
			defer m.mu.Unlock()
			total := 0.0
			for _, size := range m.sizes {
				total += of(size)
			}
			return total
		}
	}
	reg.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: prefix + "_window_transactions", Help: "Transactions held."},
			sum(func(s window.Size) float64 { return float64(s.Records) })),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: prefix + "_window_pairs", Help: "Pairs with transactions held."},
			sum(func(s window.Size) float64 { return float64(s.Pairs) })),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: prefix + "_window_bytes", Help: "Memory of the transactions held, estimated."},
			sum(func(s window.Size) float64 { return float64(s.Bytes) })),
	)
}

// judged counts one batch of a city.
func (m *metrics) judged(topic, records, lines int, start time.Time) {
	m.transactions[topic].Add(float64(records))
	m.alerts.Add(float64(lines))
	m.batches.Observe(float64(records))
	m.judging.Observe(time.Since(start).Seconds())
}

// misroute counts a record that is not where its pair belongs.
func (m *metrics) misroute(topic string, partition int32, offset int64, log logrus.FieldLogger) {
	m.misrouted.Inc()
	if held, ok := m.routes.Allow(topic); ok {
		log.WithFields(logrus.Fields{
			"topic": topic, "partition": partition, "offset": offset, "held_back": held,
		}).Warn("a record is not in the partition of its pair: unless all producers route alike, what it belongs to is not added up with it")
	}
}

// held keeps the size of one shard's window for the next scrape.
func (m *metrics) held(partition int32, size window.Size) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sizes[partition] = size
}

// release forgets the sizes of windows that are gone.
func (m *metrics) release() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.sizes)
}

func (m *metrics) rebuilt(records int, start time.Time) {
	m.readBack.Add(float64(records))
	m.rebuilds.Observe(time.Since(start).Seconds())
}
