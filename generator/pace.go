package main

import "time"

// maxCatchUp is how far behind its schedule a pace may be and still make up for
// it. After a longer stall it goes on from there, without a burst.
const maxCatchUp = time.Second

// minPause is the shortest wait for the next event, unless all are further apart: waking for each of a thousand a
// second would cost more than sending them. What is due by then is sent together, each with the time of its sending.
// Each time is a request to every broker and a fetch of every consumer that waits for records.
const minPause = 40 * time.Millisecond

// pace spaces events by a schedule of its own, start + n*wait, so that neither
// the work between two of them nor the coarseness of timers adds up.
type pace struct {
	wait time.Duration
	next time.Time // of the next event
}

// delay returns how long to wait before the next event, 0 or less for not at all.
func (p *pace) delay(now time.Time) time.Duration {
	if p.wait == 0 {
		return 0
	}
	if p.next.IsZero() || now.Sub(p.next) > maxCatchUp {
		p.next = now
	}
	d := p.next.Sub(now)
	if d > 0 && p.wait < minPause {
		d = max(d, minPause)
	}
	return d
}

// done moves on to the event after the one that has just taken place.
func (p *pace) done() { p.next = p.next.Add(p.wait) }
