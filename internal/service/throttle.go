package service

import (
	"sync"
	"time"
)

// throttleKeys bounds the keys that a Throttle remembers; any further ones share a turn.
const throttleKeys = 1000

// Throttle lets one event per key and period through and counts those that it holds back. It is safe for
// concurrent use, and the number of keys that it remembers is bounded.
type Throttle struct {
	period time.Duration

	mu   sync.Mutex
	keys map[string]*turn
	rest turn // of the keys for which there was no room
}

// turn is when a key was last let through and what has been held back since.
type turn struct {
	last time.Time
	held int
}

// NewThrottle makes a Throttle with one event per key and period.
func NewThrottle(period time.Duration) *Throttle {
	return &Throttle{period: period, keys: make(map[string]*turn)}
}

// Allow tells whether an event of key may go through now and, if so, how many events of the key were held
// back since the last that did. A key is, for instance, the reason why a record is bad.
func (t *Throttle) Allow(key string) (heldBack int, ok bool) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	turn := t.turn(key, now)
	if !turn.last.IsZero() && now.Sub(turn.last) < t.period {
		turn.held++
		return 0, false
	}
	heldBack = turn.held
	turn.last, turn.held = now, 0
	return heldBack, true
}

func (t *Throttle) turn(key string, now time.Time) *turn {
	if known := t.keys[key]; known != nil {
		return known
	}
	if len(t.keys) >= throttleKeys {
		t.forget(now)
	}
	if len(t.keys) >= throttleKeys {
		return &t.rest
	}
	fresh := &turn{}
	t.keys[key] = fresh
	return fresh
}

// forget drops the keys whose next event would go through anyway and that have nothing to report. It runs at most
// once a period: with all keys in use each new one would pay for the search.
func (t *Throttle) forget(now time.Time) {
	if now.Sub(t.rest.last) < t.period {
		return
	}
	for key, turn := range t.keys {
		if turn.held == 0 && now.Sub(turn.last) >= t.period {
			delete(t.keys, key)
		}
	}
}
