package cases

import (
	"context"
	"errors"
	"time"

	"fintrans/bench/measure"
	"fintrans/bench/report"
	"fintrans/bench/scene"
)

// rebuildCase compares the reading back of a window after a restart with a consumer that only counts.
func rebuildCase(ctx context.Context, s *scene.Scene) (Outcome, error) {
	set := manyPairs(s)
	k, err := warm(ctx, s, set)
	if err != nil {
		return Outcome{}, err
	}
	defer k.Close()
	group := s.Name(scene.Detector)
	if err := judgeAll(ctx, s, k, group, set.Count); err != nil {
		return Outcome{}, err
	}
	c, err := compare(ctx, s,
		contestant{"laundering-detector", func(ctx context.Context) (measure.Figures, error) {
			return rebuild(ctx, s, k, group, set.Count)
		}},
		bareConsumer(s, k, set.Count))
	if err != nil {
		return Outcome{}, err
	}
	return Outcome{
		Section: report.Section{
			Title: "Rebuild of the window from Kafka",
			Text: "A detector that is started again reads back " + set.String() + ",\n" +
				"all of them committed, before it judges anything; against a bare consumer that reads them as a group.",
			Tables: c.tables(),
		},
		Targets: []report.Target{
			atLeast("rebuild from Kafka, transactions/s", "bare consumer", 0.7, c.ratio(1, speed)),
		},
	}, nil
}

// judgeAll has a detector judge and commit all that is in the topics.
func judgeAll(ctx context.Context, s *scene.Scene, k *scene.Kafka, group string, total int64) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 10*time.Minute, errors.New("the detector was too slow"))
	defer cancel()
	p, err := s.Start(scene.Detector, nil, "BROKER="+k.Broker(), "KAFKA_GROUP="+group)
	if err != nil {
		return err
	}
	defer p.Stop(grace)
	if err := k.AwaitCommitted(ctx, group, total); err != nil {
		return p.Failure(err)
	}
	return nil
}

// rebuild measures from the moment at which the detector begins to read back to that at which all is there.
func rebuild(ctx context.Context, s *scene.Scene, k *scene.Kafka, group string, total int64) (measure.Figures, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 10*time.Minute, errors.New("the rebuild was too slow"))
	defer cancel()
	p, err := s.Start(scene.Detector, nil, "BROKER="+k.Broker(), "KAFKA_GROUP="+group)
	if err != nil {
		return measure.Figures{}, err
	}
	defer p.Stop(grace)
	url, err := p.URL(ctx)
	if err != nil {
		return measure.Figures{}, err
	}
	return measure.Run(ctx, []*measure.Process{p}, total, func(ctx context.Context) (int64, error) {
		read, err := measure.Metric(ctx, url, "laundering_detector_rebuild_records_total")
		if err != nil || read > 0 {
			return int64(read), err
		}
		rebuilding, err := measure.Metric(ctx, url, "laundering_detector_rebuilding")
		return int64(rebuilding), err // what was read is only counted when a partition number is complete
	})
}
