package main

import (
	"testing"
	"testing/synctest"
	"time"

	"fintrans/internal/produce"
	"fintrans/internal/service"
)

func TestPaceIsKept(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		wait  time.Duration
		count int
		late  time.Duration // what each may be late by
		wakes int           // at how many times they are sent
	}{
		{"one in two seconds", 2 * time.Second, 10, 1, 10},
		{"one in ninety seconds", 90 * time.Second, 3, 1, 3},
		{"twenty-five a second", 40 * time.Millisecond, 50, 1, 50},
		{"two thousand a second", 500 * time.Microsecond, 4000, minPause, 50},
		{"a hundred thousand a second", 10 * time.Microsecond, 20_000, minPause, 5},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				n, wakes, last := 0, 0, time.Duration(0)
				producer := newFakeProducer(func(int, *produce.Record) error {
					// Many a second are sent in groups, none of them before its time.
					if got, want := time.Since(start), time.Duration(n)*test.wait; got < want || got >= want+test.late {
						t.Errorf("transaction %d: got sent after %s, want %s and less than %s more", n, got, want, test.late)
					}
					if n == 0 || time.Since(start) != last {
						wakes++
					}
					last = time.Since(start)
					n++
					return nil
				})
				cfg := testConfig(uint64(test.count))
				cfg.GenWaitSec = service.Seconds(test.wait)
				rt, _ := testRuntime()
				if err := testGenerator(cfg, producer, rt).run(t.Context()); err != nil {
					t.Errorf("run: %v", err)
				}
				if n != test.count {
					t.Errorf("got %d transactions, want %d", n, test.count)
				}
				if wakes > test.wakes+1 {
					t.Errorf("got sent at %d times, want %d", wakes, test.wakes)
				}
			})
		})
	}
}

func TestPaceAfterAStall(t *testing.T) {
	t.Parallel()
	start := time.Now()
	for _, test := range []struct {
		name  string
		stall time.Duration
		burst int // events due at once afterwards
	}{
		{"a short one is made up for", 900 * time.Millisecond, 10},
		{"a long one is not", 30 * time.Second, 1},
	} {
		p := pace{wait: 100 * time.Millisecond}
		p.delay(start)
		now := start.Add(test.stall)
		burst := 0
		for p.delay(now) <= 0 {
			p.done()
			burst++
		}
		if burst != test.burst {
			t.Errorf("%s: got %d at once, want %d", test.name, burst, test.burst)
		}
	}
}
