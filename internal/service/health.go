package service

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// StallLimit is the age of a loop's last tick beyond which /health reports it.
	StallLimit = 60 * time.Second
	// tickEvery is how often a waiting loop ticks.
	tickEvery = time.Second
)

// Health holds the loops of the service. It is safe for concurrent use.
type Health struct {
	// start anchors the ticks on the monotonic clock: a step of the wall clock is no stall.
	start time.Time

	mu    sync.Mutex
	loops []*Loop
}

func newHealth() *Health { return &Health{start: time.Now()} }

// Loop adds a loop, which counts as ticking now. Several loops may share a name.
func (h *Health) Loop(name string) *Loop {
	l := &Loop{name: name, health: h}
	l.Tick()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.loops = append(h.loops, l)
	return l
}

// Stalled names each loop whose last tick is older than StallLimit, and how old it is, in the order in
// which they were added.
func (h *Health) Stalled() []string {
	now := time.Since(h.start)
	h.mu.Lock()
	defer h.mu.Unlock()
	var stalled []string
	for _, l := range h.loops {
		if age := now - time.Duration(l.last.Load()); age > StallLimit {
			stalled = append(stalled, fmt.Sprintf("%s: no tick for %s", l.name, age.Round(time.Second)))
		}
	}
	return stalled
}

// Loop is one loop of the service. It has to Tick at least once a second, also when idle, waiting or backing
// off. It is safe for concurrent use.
type Loop struct {
	name   string
	health *Health
	last   atomic.Int64 // tick, in nanoseconds after health.start
}

// Tick says that the loop is alive. It reads the clock and stores it: cheap enough for every batch.
func (l *Loop) Tick() { l.last.Store(int64(time.Since(l.health.start))) }

// Done says that the loop has ended as it should; it is not looked at any more.
func (l *Loop) Done() {
	l.health.mu.Lock()
	defer l.health.mu.Unlock()
	l.health.loops = slices.DeleteFunc(l.health.loops, func(other *Loop) bool { return other == l })
}

// Sleep waits for d and ticks at least once a second. It returns early with ctx.Err() when ctx ends.
func (l *Loop) Sleep(ctx context.Context, d time.Duration) error {
	for {
		l.Tick()
		if err := ctx.Err(); err != nil || d <= 0 {
			return err
		}
		step := min(d, tickEvery)
		timer := time.NewTimer(step)
		select {
		case <-ctx.Done():
			timer.Stop()
		case <-timer.C:
		}
		d -= step
	}
}
