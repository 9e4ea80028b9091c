package main

import (
	"context"
	"time"

	"fintrans/internal/backoff"
	"fintrans/internal/service"
)

// retry are the pauses before InfluxDB is tried again.
var retry = backoff.Bounds{First: 250 * time.Millisecond, Max: 5 * time.Second}

// writer carries payloads from the pool to InfluxDB, one at a time.
type writer struct {
	pool *pool
	sink *sink
	loop *service.Loop
}

// run writes until the pool's writers are to end. stored is called after each
// payload that was acknowledged.
func (w *writer) run(stored func()) {
	defer w.loop.Done()
	for {
		load := w.pool.next(w.loop.Tick)
		if load == nil {
			return
		}
		err := w.store(w.pool.ctx, load.whole())
		if err == nil {
			w.sink.metrics.stored(load)
		}
		w.pool.finish(load, err == nil)
		if err == nil {
			stored()
		}
	}
}

// store returns when InfluxDB has taken every point of the part, or has refused
// it for good. It goes on trying for as long as neither is certain; its only
// error is that of ctx.
func (w *writer) store(ctx context.Context, p part) error {
	if p.points == 0 {
		return ctx.Err() // bad and expired records alone: once it has ended, those before them may not be written
	}
	for attempt := 1; ; attempt++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		made := w.sink.schema.generation()
		v := w.attempt(ctx, p, made)
		switch {
		case v.kind == accepted, v.kind == partial:
			w.sink.took(p, v)
			return nil
		case (v.kind == refused || v.kind == tooLarge) && p.points > 1:
			return w.storeHalves(ctx, p)
		case v.kind == refused:
			w.sink.reject(p, v)
			return nil
		case v.kind == missing:
			if err := w.sink.schema.ensure(ctx, made, w.loop.Tick); err != nil {
				v = verdict{kind: unavailable, reason: err.Error()}
			} else if attempt == 1 {
				continue
			}
		}
		if ctx.Err() == nil {
			w.sink.hold(v)
			w.pause(ctx, attempt)
		}
	}
}

// storeHalves finds out which points a refusal is about.
func (w *writer) storeHalves(ctx context.Context, p part) error {
	left, right := p.halves()
	if err := w.store(ctx, left); err != nil {
		return err
	}
	return w.store(ctx, right)
}

// attempt is one POST, unless nobody has made the database yet.
func (w *writer) attempt(ctx context.Context, p part, made int64) verdict {
	if made == 0 {
		return verdict{kind: missing, reason: "the database was not made yet"}
	}
	return w.post(ctx, p)
}

// post ticks while InfluxDB takes its time.
func (w *writer) post(ctx context.Context, p part) verdict {
	done := make(chan verdict, 1)
	start := time.Now()
	go func() { done <- w.sink.post(ctx, p.lines...) }()
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for {
		select {
		case v := <-done:
			w.sink.metrics.wrote(v, p.points, time.Since(start))
			return v
		case <-tick.C:
			w.loop.Tick()
		}
	}
}

// pause waits before the next attempt: not for long once the session is about to end.
func (w *writer) pause(ctx context.Context, attempt int) {
	hurried := w.pool.hurried
	if w.pool.isHurried() {
		hurried, attempt = nil, 1
	}
	timer := time.NewTimer(retry.Pause(attempt))
	defer timer.Stop()
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for {
		select {
		case <-timer.C:
			return
		case <-hurried:
			return
		case <-ctx.Done():
			return
		case <-tick.C:
			w.loop.Tick()
		}
	}
}
