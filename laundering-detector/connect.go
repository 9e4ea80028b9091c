package main

import (
	"context"
	"time"

	"fintrans/internal/consume"
	"fintrans/internal/service"
)

const (
	// An alert should be out within milliseconds: the broker answers a fetch as
	// soon as there is a record. What comes meanwhile is in the next one.
	minFetch = 1
	// Where there is none, it answers after this long. A partition that begins or goes on waits for the answer to be in
	// the next fetch; else it could be longer.
	maxWait = 250 * time.Millisecond
)

// connect makes the clients of the group. What is read back for a window is read through the probe.
func connect(ctx context.Context, cfg config, rt *service.Runtime) (consume.Clients, error) {
	settings, err := cfg.Config(name)
	if err != nil {
		return consume.Clients{}, err
	}
	settings.Consumer.MaxWaitTime = maxWait
	settings.Consumer.Fetch.Min = minFetch
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

// ended tells a start that was called off, which is no failure, from one that failed.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
