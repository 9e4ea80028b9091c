// Command influx-ingest writes the transactions of all cities to InfluxDB,
// each as one point, and commits to Kafka what InfluxDB has accepted.
package main

import (
	"context"

	"fintrans/internal/consume"
	"fintrans/internal/service"
	"fintrans/internal/transaction"
)

const (
	name   = "influx-ingest"
	prefix = "influx_ingest"
)

func main() {
	service.Main(service.App[config]{
		Name:        name,
		Description: "Writes the transactions of all cities to InfluxDB, each as one point.",
		Serve:       serve,
	})
}

func serve(ctx context.Context, cfg config, rt *service.Runtime) error {
	sink, closeSink, err := newSink(cfg, rt)
	if err != nil {
		return err
	}
	defer closeSink()
	background, release := context.WithCancel(context.WithoutCancel(ctx))
	defer release()
	// The database is made at once: dashboards want it before the first transaction comes.
	go sink.prepare(background)

	group, probe, err := connect(ctx, cfg, rt)
	if err != nil {
		return ended(ctx, err)
	}
	defer func() { _ = probe.Close() }()
	i := newIngest(cfg, rt, probe, sink)
	g, err := consume.New(consume.Config{
		Group:   string(cfg.KafkaGroup),
		Topics:  transaction.Cities(),
		Prefix:  prefix,
		Client:  group,
		Probe:   probe,
		Runtime: rt,
	})
	if err != nil {
		_ = group.Close()
		return err
	}
	i.group = g
	if err := g.Run(ctx, i); err != nil {
		return err
	}
	return i.unwritten()
}
