package cases

import (
	"context"
	"errors"
	"time"

	"fintrans/bench/measure"
	"fintrans/bench/peers"
	"fintrans/bench/records"
	"fintrans/bench/report"
	"fintrans/bench/scene"
)

// mostStreamed bounds a set for Kafka Streams, which is slower by orders of magnitude.
const mostStreamed = 300_000

// streamsCase compares the detector with a Kafka Streams application that does the same, but for what the detector
// promises beyond it.
func streamsCase(ctx context.Context, s *scene.Scene) (Outcome, error) {
	set := records.Set{Count: min(s.Records, mostStreamed), Sources: 1000, Targets: 1000, Newest: time.Now(), Span: span}
	k, err := warm(ctx, s, set)
	if err != nil {
		return Outcome{}, err
	}
	defer k.Close()
	c, err := compare(ctx, s,
		contestant{"laundering-detector", func(ctx context.Context) (measure.Figures, error) {
			return consumeAll(ctx, s, k, scene.Detector, "laundering_detector_records_total", set.Count)
		}},
		contestant{"Kafka Streams", func(ctx context.Context) (measure.Figures, error) { return stream(ctx, s, k, set.Count) }})
	if err != nil {
		return Outcome{}, err
	}
	return Outcome{
		Section: report.Section{
			Title: "laundering-detector and Kafka Streams",
			Text: set.String() + ", from topics that are full, against\n" +
				"`bench/java/PairSums.java`: the same topics, a sliding hour per pair, with a heap of 512 MB. Its alerts are one per\n" +
				"window that changes. It is measured from its first record on, without the start of the JVM.",
			Tables: c.tables(),
		},
		Targets: []report.Target{
			atMost("laundering-detector, CPU-seconds per million", "Kafka Streams", 0.2, c.ratio(1, cost), report.Ratio),
			atMost("laundering-detector, peak memory", "Kafka Streams", 0.1, c.ratio(1, memory), report.Ratio),
		},
	}, nil
}

func stream(ctx context.Context, s *scene.Scene, k *scene.Kafka, total int64) (measure.Figures, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 10*time.Minute, errors.New("the Kafka Streams application was too slow"))
	defer cancel()
	app, err := peers.StartStreams(ctx, s, k.Broker())
	if err != nil {
		return measure.Figures{}, err
	}
	defer app.End()
	return measure.Run(ctx, []*measure.Process{app.Process}, total, app.Progress)
}
