package harness

import (
	"testing"
	"time"
)

// Patience is how long a state that must come may take on a slow, busy machine. After an outage a service may take a
// minute by itself: 10 s between two attempts, 20 s for a rebalance, 30 s until the metadata are asked for again.
const Patience = 2 * time.Minute

// Eventually waits until the condition holds, and fails the test when it does not in time: with the
// reason that the condition gave last, which says what was seen and what was expected.
func Eventually(t testing.TB, condition func() (ok bool, reason string)) {
	t.Helper()
	EventuallyWithin(t, Patience, condition)
}

// EventuallyWithin is Eventually with another time.
func EventuallyWithin(t testing.TB, limit time.Duration, condition func() (ok bool, reason string)) {
	t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, reason := condition()
		if ok {
			return
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("not within %v: %s", limit, reason)
		}
	}
}
