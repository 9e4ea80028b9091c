package main

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// counts is what the generator has achieved. It may be read at any time; the
// metrics and the summary at the end both do.
type counts struct {
	sent, volume [cityCount]atomic.Int64 // acknowledged: transactions, dollars
	failed       atomic.Int64            // given up
	rings        atomic.Int64            // begun
	inFlight     atomic.Int64

	acknowledged prometheus.Histogram // seconds from sending to acknowledgement
	batches      prometheus.Histogram // transactions per batch
}

func newCounts(registry prometheus.Registerer) *counts {
	c := &counts{
		acknowledged: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "generator_acknowledgement_duration_seconds", Help: "Time from sending a transaction to its acknowledgement.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 16),
		}),
		batches: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "generator_batch_transactions", Help: "Transactions that went to a partition together.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 14),
		}),
	}
	registry.MustRegister(c.acknowledged, c.batches)
	counter := func(name, help string, n *atomic.Int64, labels prometheus.Labels) {
		registry.MustRegister(prometheus.NewCounterFunc(
			prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels},
			func() float64 { return float64(n.Load()) }))
	}
	for i, city := range cities {
		labels := prometheus.Labels{"city": city}
		counter("generator_transactions_total", "Transactions that all in-sync replicas have acknowledged.", &c.sent[i], labels)
		counter("generator_volume_dollars_total", "Sum of the amounts of acknowledged transactions.", &c.volume[i], labels)
	}
	counter("generator_failed_total", "Transactions that were given up; they may or may not be in Kafka.", &c.failed, nil)
	counter("generator_rings_planted_total", "Rings that were begun.", &c.rings, nil)
	registry.MustRegister(prometheus.NewGaugeFunc(
		prometheus.GaugeOpts{Name: "generator_in_flight_transactions", Help: "Transactions sent and not yet acknowledged."},
		func() float64 { return float64(c.inFlight.Load()) }))
	return c
}
