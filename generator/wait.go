package main

import (
	"context"
	"time"
)

// pause waits for d or until ctx ends, ticking at least once a second.
func pause(ctx context.Context, d time.Duration, tick func()) {
	tick()
	timer := time.NewTimer(min(d, tickEvery)) // the caller looks again
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// wait waits for a change, but not longer than until the next tick is due.
func wait(ctx context.Context, changed <-chan struct{}, tick func()) {
	tick()
	timer := time.NewTimer(tickEvery)
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	case <-ctx.Done():
	}
}
