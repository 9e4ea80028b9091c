package main

import (
	"context"
	"time"
)

// What is left at the end of a session has this long to be written: well within
// service.DrainBudget and kafka.RebalanceTimeout.
const drainTime = 5 * time.Second

// drain makes everything go at once and waits until the feed's records are
// written or the time for that is over. It returns how many were not written.
func (p *pool) drain(f *feed, alive func()) int {
	p.hurry()
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	over := p.ctx.Done()
	for {
		if left, settled := p.left(f); settled {
			return left
		}
		select {
		case <-f.moved:
		case <-over:
			over = nil // the writers are about to return what they have
		case <-tick.C:
		}
		alive()
	}
}

// left is how many records of the feed are not written, and whether that is final.
func (p *pool) left(f *feed) (records int, settled bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	settled = !f.flying && (f.filling.records == 0 || p.ctx.Err() != nil)
	return f.lost + f.filling.records, settled
}

// hurry begins the drain of the whole session, once.
func (p *pool) hurry() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.isHurried() {
		return
	}
	close(p.hurried)
	signal(p.changed)
	timer := time.AfterFunc(drainTime, p.giveUp)
	context.AfterFunc(p.ctx, func() { timer.Stop() })
}

func (p *pool) isHurried() bool {
	select {
	case <-p.hurried:
		return true
	default:
		return false
	}
}
