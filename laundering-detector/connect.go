package main

import (
	"context"
	"time"

	"github.com/IBM/sarama"

	"fintrans/internal/kafka"
	"fintrans/internal/service"
)

const (
	// An alert should be out within milliseconds: the broker answers a fetch as
	// soon as there is a record. What comes meanwhile is in the next one.
	minFetch = 1
	// Where there is none, it answers after this long. Commits wait behind a
	// fetch, and so does handing partitions over; else it could be longer.
	maxWait = 250 * time.Millisecond
)

// connect makes two clients, because a connection is served in order: the
// group's own, and one for what is asked and read back beside it.
func connect(ctx context.Context, cfg config, rt *service.Runtime) (group, probe sarama.Client, err error) {
	settings, err := cfg.Config(name)
	if err != nil {
		return nil, nil, err
	}
	settings.Consumer.MaxWaitTime = maxWait
	settings.Consumer.Fetch.Min = minFetch
	cfg.LogEffective(rt.Log)

	loop := rt.Health.Loop("connect")
	defer loop.Done()
	rt.Ready.Set("broker", "no broker was reached yet: "+cfg.Broker.String())
	if probe, err = kafka.Connect(ctx, cfg.Settings, settings, rt.Log, loop.Tick); err != nil {
		return nil, nil, err
	}
	if group, err = kafka.Connect(ctx, cfg.Settings, settings, rt.Log, loop.Tick); err != nil {
		_ = probe.Close()
		return nil, nil, err
	}
	rt.Ready.Set("broker", "")
	return group, probe, nil
}

// ended tells a start that was called off, which is no failure, from one that failed.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
