package cases

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fintrans/bench/measure"
	"fintrans/bench/peers"
	"fintrans/bench/records"
	"fintrans/bench/report"
	"fintrans/bench/scene"
)

// perfTopic is where ProducerPerformance sends to: as many partitions as the cities have together.
const perfTopic = "perf"

// generatorCase compares the generator with Kafka's own tool.
func generatorCase(ctx context.Context, s *scene.Scene) (Outcome, error) {
	k, err := s.Kafka(ctx)
	if err != nil {
		return Outcome{}, err
	}
	defer k.Close()
	if err := k.Create(ctx, 5*records.Partitions, perfTopic); err != nil {
		return Outcome{}, err
	}
	size := records.Set{Count: s.Records, Sources: 1000, Targets: 1000}.Size()
	// Not counted: a broker that has just been started is slow, and would be so for whoever comes first.
	if _, err := generate(ctx, s, k); err != nil {
		return Outcome{}, err
	}
	c, err := compare(ctx, s,
		contestant{"generator", func(ctx context.Context) (measure.Figures, error) { return generate(ctx, s, k) }},
		contestant{"ProducerPerformance", func(ctx context.Context) (measure.Figures, error) {
			return peers.ProducerPerformance(ctx, s, k.Broker(), perfTopic, s.Records, size)
		}},
		contestant{"ProducerPerformance, batches of 256 KiB", func(ctx context.Context) (measure.Figures, error) {
			return peers.ProducerPerformance(ctx, s, k.Broker(), perfTopic, s.Records, size, "batch.size=262144")
		}})
	if err != nil {
		return Outcome{}, err
	}
	return Outcome{
		Section: report.Section{
			Title: "generator",
			Text: fmt.Sprintf("%s transactions as fast as the brokers acknowledge (GEN_WAIT_SEC=0), against Kafka's ProducerPerformance with\n"+
				"records of about the same size (%d bytes), acks=all and idempotent, into one topic of as many partitions, with a heap\n"+
				"of 512 MB as its script sets it. It sends random bytes to whichever partition it likes; its CPU includes the start of the\n"+
				"JVM. Its batches are of 16 KiB unless it is told otherwise; the generator's grow to 256 KiB.", records.Grouped(s.Records), size),
			Tables: c.tables(),
		},
		Targets: []report.Target{
			atLeast("generator, transactions/s", "ProducerPerformance", 1, c.ratio(1, speed)),
			atMost("generator, CPU-seconds", "ProducerPerformance", 0.5, c.ratio(1, cost), report.Ratio),
		},
	}, nil
}

// generate measures the generator until so many transactions are acknowledged.
func generate(ctx context.Context, s *scene.Scene, k *scene.Kafka) (measure.Figures, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 10*time.Minute, errors.New("the generator was too slow"))
	defer cancel()
	p, err := s.Start(scene.Generator, nil, "BROKER="+k.Broker(), "GEN_WAIT_SEC=0")
	if err != nil {
		return measure.Figures{}, err
	}
	defer p.Stop(grace)
	url, err := p.URL(ctx)
	if err != nil {
		return measure.Figures{}, err
	}
	return measure.Run(ctx, []*measure.Process{p}, s.Records, measure.Counted("generator_transactions_total", url))
}
