package main

import (
	"context"
	"time"

	"github.com/IBM/sarama"

	"fintrans/internal/consume"
	"fintrans/internal/service"
)

const (
	// Fetches, not records, are what a slow stream costs: the broker collects
	// for this long. It is most of a transaction's way to InfluxDB.
	maxWait = 250 * time.Millisecond
	// ... or until there is this much: some hundred transactions.
	minFetch = 16 << 10
)

// connect makes the clients of the group of the money.
func connect(ctx context.Context, cfg config, rt *service.Runtime) (consume.Clients, error) {
	settings, err := consumerConfig(cfg)
	if err != nil {
		return consume.Clients{}, err
	}
	cfg.LogEffective(rt.Log)

	loop := rt.Health.Loop("connect")
	defer loop.Done()
	rt.Ready.Set("broker", "no broker was reached yet: "+cfg.Broker.String())
	clients, err := consume.Connect(ctx, cfg.Settings, settings, nil, rt.Log, loop.Tick)
	if err == nil {
		rt.Ready.Set("broker", "")
	}
	return clients, err
}

// connectBeside makes the clients of another stream's group, which has the same probe.
func connectBeside(ctx context.Context, cfg config, rt *service.Runtime, of stream, probe sarama.Client) (consume.Clients, error) {
	settings, err := consumerConfig(cfg)
	if err != nil {
		return consume.Clients{}, err
	}
	loop := rt.Health.Loop(of.named("connect"))
	defer loop.Done()
	return consume.Connect(ctx, cfg.Settings, settings, probe, rt.Log, loop.Tick)
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
