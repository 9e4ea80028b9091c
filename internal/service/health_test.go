package service

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestStalledLoops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		health := newHealth()
		consume, sink, gone := health.Loop("consume"), health.Loop("sink"), health.Loop("gone")
		want := func(lines ...string) {
			t.Helper()
			if got := health.Stalled(); !slices.Equal(got, lines) {
				t.Errorf("after %s: got %q, want %q", time.Since(health.start), got, lines)
			}
		}
		want()
		time.Sleep(StallLimit)
		want() // the limit itself is not yet too old
		sink.Tick()
		gone.Done()
		time.Sleep(time.Second)
		want("consume: no tick for 1m1s")
		time.Sleep(StallLimit)
		want("consume: no tick for 2m1s", "sink: no tick for 1m1s")
		consume.Tick()
		want("sink: no tick for 1m1s")
		gone.Tick()
		sink.Done()
		sink.Done()
		want()
	})
}

func TestLoopSleep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		health := newHealth()
		loop := health.Loop("backoff")
		start := time.Now()
		if err := loop.Sleep(t.Context(), 90*time.Second+time.Millisecond); err != nil {
			t.Error(err)
		}
		if got, want := time.Since(start), 90*time.Second+time.Millisecond; got != want {
			t.Errorf("slept %s, want %s", got, want)
		}
		if got := health.Stalled(); got != nil {
			t.Errorf("stalled: %q", got)
		}
		if err := loop.Sleep(t.Context(), 0); err != nil {
			t.Error(err)
		}
	})
}

func TestLoopSleepTicks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		health := newHealth()
		loop := health.Loop("backoff")
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- loop.Sleep(ctx, time.Hour) }()
		for range 10 {
			time.Sleep(time.Minute)
			synctest.Wait()
			if age := time.Since(health.start) - time.Duration(loop.last.Load()); age > tickEvery {
				t.Errorf("last tick is %s old", age)
			}
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
		if err := loop.Sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
	})
}

func BenchmarkTick(b *testing.B) {
	loop := newHealth().Loop("consume")
	for b.Loop() {
		loop.Tick()
	}
}
