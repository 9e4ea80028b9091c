package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fintrans/internal/kafka"
	"fintrans/internal/pipeline"
	"fintrans/internal/service"
)

// report writes points of how the ingest itself is doing, until ctx ends. Each is tried once: the next ones come
// soon and count what it did, and the trouble of writing is told of elsewhere. What was not written is counted.
func report(ctx context.Context, cfg config, rt *service.Runtime, to *sink) {
	loop := rt.Health.Loop("report")
	defer loop.Done()
	dropped := prometheus.NewCounter(prometheus.CounterOpts{
		Name: prefix + "_report_dropped_total", Help: "Points of how the ingest itself is doing that could not be written; the next ones count what they did.",
	})
	rt.Metrics.MustRegister(dropped)
	collector := pipeline.NewCollector(pipeline.Source{
		Service: name,
		Prefix:  prefix,
		Records: []string{prefix + "_points_total", prefix + "_expired_total"},
		Bad:     true,
		Retries: []string{prefix + "_retries_total"},
	}, rt.Metrics, string(cfg.KafkaGroupInstanceID))
	for loop.Sleep(ctx, pipeline.Every) == nil {
		if to.schema.generation() == 0 {
			continue // nobody has made the database yet
		}
		points, err := collector.Collect(time.Now())
		if err != nil {
			rt.Log.WithError(err).Debug("report")
			continue
		}
		var lines []byte
		for _, p := range points {
			lines = appendReport(lines, p)
		}
		v, err := kafka.Await(ctx, loop.Tick, nil, func() (verdict, error) { return to.post(ctx, lines), nil })
		switch {
		case err != nil: // ctx has ended
		case v.kind == accepted:
			collector.Sent(points...)
		default:
			dropped.Add(float64(len(points)))
			rt.Log.WithField("reason", v.String()).Debug("points of how the ingest is doing are dropped")
		}
	}
}
