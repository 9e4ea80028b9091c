// Package backoff says how long to wait between the attempts at what has failed
// and may pass: longer each time, and never for the same time as everybody else
// who waits for it.
package backoff

import (
	"math/rand/v2"
	"time"
)

// Bounds are the first and the longest pause of a series, both positive, without jitter.
type Bounds struct {
	First, Max time.Duration
}

// Pause returns how long to wait after so many failures in a row, counted from
// 1: First, doubled at each failure but the first up to Max, and of that a
// random part between the half and the whole.
func (b Bounds) Pause(failures int) time.Duration {
	d, doublings := b.Max, max(failures-1, 0)
	if b.First <= b.Max>>doublings { // else the doubled one is longer, or overflows
		d = b.First << doublings
	}
	return d/2 + rand.N(d-d/2+1)
}
