// Package cases are the measurements: each starts its servers, runs ours and the peers on the same records, and
// says what it found.
package cases

import (
	"context"

	"fintrans/bench/report"
	"fintrans/bench/scene"
)

// Outcome is what a case has found.
type Outcome struct {
	Section report.Section
	Targets []report.Target
}

// Case is one measurement.
type Case struct {
	Name  string // by which it is chosen
	About string
	Run   func(ctx context.Context, s *scene.Scene) (Outcome, error)
}

// All are the cases, in the order in which they run.
func All() []Case {
	return []Case{
		{"detector", "laundering-detector against a bare consumer group, with 10,000 and 999,000 pairs", detectorCase},
		{"generator", "generator against Kafka's ProducerPerformance", generatorCase},
		{"ingest", "influx-ingest against Telegraf and against prepared line protocol, and what InfluxDB holds in the end", ingestCase},
		{"alert-latency", "from a transaction to its alert, against a bare consumer group", latencyCase},
		{"ingest-latency", "from a record to its point, against Telegraf", ingestLatencyCase},
		{"rest", "what the three services take at the article's rate and at 1,000/s", restCase},
		{"streams", "laundering-detector against a Kafka Streams application", streamsCase},
		{"rebuild", "the detector's reading back after a restart against a bare consumer group", rebuildCase},
		{"window", "what the detector's window takes for 10,000,000 transactions", windowCase},
		{"growth", "the detector with more instances, pairs and longer windows", growthCase},
	}
}
