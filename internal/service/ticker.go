package service

import (
	"sync"
	"time"
)

// Ticker ticks on whole multiples of its period by the clock, so that all of one period tick at the same moment: a service
// at rest wakes once for all of its loops, and not once for each. Waking is what such a service takes most of its
// processor time for. A step of the clock makes one tick come early.
type Ticker struct {
	// C gets a tick; one that is not taken in time is left out.
	C <-chan time.Time

	ticks   chan time.Time
	period  time.Duration
	mu      sync.Mutex
	timer   *time.Timer
	stopped bool
}

// NewTicker starts a Ticker. The first tick comes within the period, which is greater than 0.
func NewTicker(period time.Duration) *Ticker {
	t := &Ticker{ticks: make(chan time.Time, 1), period: period}
	t.C = t.ticks
	t.mu.Lock()
	defer t.mu.Unlock()
	t.timer = time.AfterFunc(t.rest(time.Now()), t.tick)
	return t
}

// Stop ends the ticks. It does not close C.
func (t *Ticker) Stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stopped = true
	t.timer.Stop()
}

func (t *Ticker) tick() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stopped {
		return
	}
	now := time.Now()
	select {
	case t.ticks <- now:
	default:
	}
	t.timer.Reset(t.rest(now))
}

// rest is how long it is until the next whole multiple.
func (t *Ticker) rest(now time.Time) time.Duration {
	return t.period - time.Duration(now.UnixNano())%t.period
}
