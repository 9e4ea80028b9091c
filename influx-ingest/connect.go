package main

import (
	"context"
	"time"

	"github.com/IBM/sarama"

	"fintrans/internal/kafka"
	"fintrans/internal/service"
)

const (
	// Fetches, not records, are what a slow stream costs: the broker collects
	// for this long. It is most of a transaction's way to InfluxDB.
	maxWait = 250 * time.Millisecond
	// ... or until there is this much: some hundred transactions.
	minFetch = 16 << 10
)

// connect makes two clients, because a connection is served in order: the
// group's own, and one for what is asked beside it.
func connect(ctx context.Context, cfg config, rt *service.Runtime) (group, probe sarama.Client, err error) {
	settings, err := consumerConfig(cfg)
	if err != nil {
		return nil, nil, err
	}
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

// connectGroup makes the client of another stream's group.
func connectGroup(ctx context.Context, cfg config, rt *service.Runtime, of stream) (sarama.Client, error) {
	settings, err := consumerConfig(cfg)
	if err != nil {
		return nil, err
	}
	loop := rt.Health.Loop(of.named("connect"))
	defer loop.Done()
	return kafka.Connect(ctx, cfg.Settings, settings, rt.Log, loop.Tick)
}

func consumerConfig(cfg config) (*sarama.Config, error) {
	settings, err := cfg.Config(name)
	if err != nil {
		return nil, err
	}
	settings.Consumer.MaxWaitTime = maxWait
	settings.Consumer.Fetch.Min = minFetch
	return settings, nil
}

// ended tells a start that was called off, which is no failure, from one that failed.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
