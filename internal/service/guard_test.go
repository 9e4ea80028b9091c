package service

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestMemoryGuard(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	type step struct {
		name      string
		after     time.Duration
		used      int64 // MiB, before a collection
		kept      int64 // MiB, after a collection or as of the last one
		full      bool
		collected bool
	}
	tests := []struct {
		name  string
		steps []step
	}{
		{"garbage is no reason", []step{
			{"below", 0, 79, 79, false, false},
			{"garbage", guardEvery, 90, 40, false, true},
			{"garbage again, too early to collect", guardEvery, 90, 40, false, false},
			{"live memory, too early to collect", guardEvery, 90, 81, true, false},
			{"collected", collectEvery, 90, 40, false, true},
		}},
		{"full until there is room", []step{
			{"full", 0, 80, 80, true, true},
			{"between the marks", guardEvery, 76, 76, true, false},
			{"still", collectEvery, 75, 75, true, true},
			{"room", guardEvery, 74, 74, false, false},
			{"between the marks from below", guardEvery, 79, 79, false, false},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var now step
			var collected bool
			guard := &MemoryGuard{
				limit: 100 * mib,
				read: func() memoryReading {
					if collected {
						return memoryReading{now.kept * mib, now.kept * mib}
					}
					return memoryReading{now.used * mib, now.kept * mib}
				},
				collect: func() { collected = true },
			}
			at := time.Now()
			for _, now = range tt.steps {
				collected = false
				at = at.Add(now.after)
				guard.look(at)
				if guard.Full() != now.full || collected != now.collected {
					t.Errorf("%s: full %t, collected %t, want %t, %t", now.name, guard.Full(), collected, now.full, now.collected)
				}
				if (guard.Reason() != "") != now.full {
					t.Errorf("%s: reason %q", now.name, guard.Reason())
				}
			}
		})
	}
}

func TestMemoryGuardReason(t *testing.T) {
	t.Parallel()
	reading := memoryReading{used: 480 << 20, kept: 480 << 20}
	guard := &MemoryGuard{limit: 512 << 20, read: func() memoryReading { return reading }, collect: func() {}}
	guard.look(time.Now())
	want := "480 MiB of 512 MiB used, reading is paused: raise the memory limit, shorten the window or add instances"
	if got := guard.Reason(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestMemoryGuardRun(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]int64{"no limit": 0, "limit": 1 << 20} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				guard := &MemoryGuard{
					limit:   limit,
					read:    func() memoryReading { return memoryReading{1 << 40, 1 << 40} },
					collect: func() {},
				}
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan struct{})
				var log bytes.Buffer
				rt := NewRuntime("sample", newLogger(Common{LogLevel: "info"}, &log), io.Discard)
				go func() { guard.Run(ctx, rt); close(done) }()
				time.Sleep(2 * StallLimit)
				synctest.Wait()
				if got, want := guard.Full(), limit > 0; got != want {
					t.Errorf("full %t, want %t", got, want)
				}
				if got, want := strings.Count(log.String(), "nearly full"), min(int(limit), 1); got != want {
					t.Errorf("logged %d times, want %d: %s", got, want, &log)
				}
				if stalled := rt.Health.Stalled(); len(stalled) != 0 {
					t.Errorf("stalled: %v", stalled)
				}
				cancel()
				<-done
			})
		})
	}
}
