package service

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"
)

const (
	guardEvery   = 200 * time.Millisecond
	collectEvery = 10 * time.Second
	fullPercent  = 80 // of the limit: full from here on
	roomPercent  = 75 // of the limit: until below here
)

// MemoryGuard watches the memory of the process, so that a service stops taking in more instead of being
// killed. It is safe for concurrent use.
type MemoryGuard struct {
	limit   int64 // bytes; 0 = none
	read    func() memoryReading
	collect func() // returns all memory that is garbage to the system

	collected time.Time // when collect was last called; of the goroutine of Run alone
	full      atomic.Bool
	used      atomic.Int64
}

// NewMemoryGuard makes a guard over MemoryLimit.
func NewMemoryGuard() *MemoryGuard {
	return &MemoryGuard{limit: MemoryLimit(), read: readMemory, collect: debug.FreeOSMemory}
}

// Run looks at the memory five times a second until ctx ends, and logs when it becomes full and when there is
// room again. Its loop in /health is "memory".
func (g *MemoryGuard) Run(ctx context.Context, rt *Runtime) {
	loop := rt.Health.Loop("memory")
	defer loop.Done()
	for {
		if g.limit > 0 {
			before := g.Full()
			g.look(time.Now())
			g.report(before, rt.Log)
		}
		if loop.Sleep(ctx, guardEvery) != nil {
			return
		}
	}
}

func (g *MemoryGuard) report(before bool, log logrus.FieldLogger) {
	switch full := g.Full(); {
	case full && !before:
		log.Warn("memory is nearly full: " + g.Reason())
	case before && !full:
		log.Info("there is memory again: reading goes on")
	}
}

// look decides whether the memory is full. Garbage is no reason to stop: memory that looks full is collected
// first. That costs a pass over all that is held, so it is done every 10 s at most, and in between what the
// last collection has found alive decides.
func (g *MemoryGuard) look(now time.Time) {
	reading := g.read()
	need := reading.used
	if g.over(need) {
		if now.Sub(g.collected) >= collectEvery {
			g.collected = now
			g.collect()
			reading = g.read()
			need = reading.used
		} else {
			need = reading.kept
		}
	}
	g.used.Store(reading.used)
	g.full.Store(g.over(need))
}

// over compares with the mark that counts at the moment: a gap between the two keeps the guard from flapping.
func (g *MemoryGuard) over(bytes int64) bool {
	mark := g.limit / 100 * fullPercent
	if g.full.Load() {
		mark = g.limit / 100 * roomPercent
	}
	return bytes >= mark
}

// Full tells whether to take in nothing more for now.
func (g *MemoryGuard) Full() bool { return g.full.Load() }

// Limit is the limit in bytes that the guard goes by; 0 if there is none.
func (g *MemoryGuard) Limit() int64 { return g.limit }

// Reason says for /ready what is used, what the limit is and what to do; "" while not Full.
func (g *MemoryGuard) Reason() string {
	if !g.Full() {
		return ""
	}
	return fmt.Sprintf("%d MiB of %d MiB used, reading is paused: raise the memory limit, shorten the window or add instances",
		g.used.Load()>>20, g.limit>>20)
}
