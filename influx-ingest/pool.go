package main

import (
	"context"
	"sync"
	"time"

	"fintrans/internal/consume"
)

const (
	// A payload of this many records goes as soon as a writer is free.
	enough = 1000
	// One of this many goes after a short wait: it is worth a POST of its own.
	some     = 100
	someWait = 50 * time.Millisecond
	// The end of a burst comes this long after the rest of it at most: where it is less than minFetch, the
	// broker holds it for maxWait, and then it has to get here.
	burstGrace = maxWait + someWait
	tickEvery  = 500 * time.Millisecond
)

// marker is what the pool needs of a claim.
type marker interface{ Done(next, millis int64) }

var _ marker = (*consume.Claim)(nil)

// pool is where the claims of a session leave their records and its writers
// take them. When one goes, and how much at once, is decided here:
//
//   - at once, when `enough` records wait: under load the writers are always
//     busy, and what has gathered while they were goes in few large POSTs;
//   - after `someWait`, when `some` records wait: a stream of some thousand
//     records a second is stored well within a quarter of a second;
//   - after `someWait`, too, when they came with a payload of `enough`, or until
//     `burstGrace` after it was written: they are the rest of a burst;
//   - after INGEST_WAIT_SEC in any case: a trickle is one small POST in that
//     time, for all claims together.
//
// A claim has at most one batch in flight and fills another meanwhile. So its
// batches are acknowledged in the order of the log, and memory is bounded.
type pool struct {
	wait    time.Duration // INGEST_WAIT_SEC
	changed chan struct{} // has a token when a writer should look again
	turn    chan struct{} // held by the writer that waits for the next payload
	hurried chan struct{} // closed when the session is about to end
	ctx     context.Context
	giveUp  context.CancelFunc // ends the writers

	mu      sync.Mutex
	queue   []*feed   // those with records that can go, roughly in the order in which they came
	waiting int       // records in the queue
	held    int       // records that are not acknowledged yet, wherever they are
	burst   time.Time // when a payload of `enough` last went, or came back
}

// feed is one claim's side of the pool.
type feed struct {
	claim marker
	name  string        // topic/partition
	city  int           // index in the list of topics
	moved chan struct{} // has a token when a writer has taken or finished a batch

	// These are the pool's, guarded by its mutex.
	filling *batch
	spare   *batch
	since   time.Time // when filling's first record came
	flying  bool      // a writer has the other batch
	lost    int       // records that a writer has given up
}

func (f *feed) String() string { return f.name }

// newPool makes a pool whose writers end with giveUp, or when the drain has
// taken too long.
func newPool(wait time.Duration) *pool {
	ctx, cancel := context.WithCancel(context.Background())
	return &pool{
		wait:    wait,
		changed: make(chan struct{}, 1),
		turn:    make(chan struct{}, 1),
		hurried: make(chan struct{}),
		ctx:     ctx,
		giveUp:  cancel,
	}
}

func newFeed(claim marker, name string, city int) *feed {
	return &feed{
		claim: claim, name: name, city: city,
		moved:   make(chan struct{}, 1),
		filling: &batch{}, spare: &batch{},
	}
}

// add takes over what is in the chunk and empties it. It reports whether the
// claim may go on reading; if not, it may after a token from moved.
func (p *pool) add(f *feed, chunk *batch) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	fresh := f.filling.records == 0
	if fresh {
		f.since = time.Now()
	}
	f.filling.join(chunk)
	p.held += chunk.records
	if !f.flying {
		p.enqueue(f, fresh, chunk.records)
	}
	chunk.reset()
	return f.room()
}

// room is read under the pool's mutex.
func (f *feed) room() bool { return f.filling.points() < maxBatchPoints }

// hasRoom reports whether the claim may go on reading.
func (p *pool) hasRoom(f *feed) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return f.room()
}

// enqueue counts records that can go. It wakes a writer only where that changes
// when the next payload goes: a wake per record would cost more than the record.
func (p *pool) enqueue(f *feed, fresh bool, records int) {
	before := p.waiting
	if fresh {
		p.queue = append(p.queue, f)
	}
	p.waiting += records
	crossed := func(limit int) bool { return before < limit && p.waiting >= limit }
	if before == 0 || crossed(some) || crossed(enough) {
		signal(p.changed)
	}
}

// next waits for the payload that goes next. It is nil when the pool's writers are to end.
func (p *pool) next(alive func()) *payload {
	timer := time.NewTimer(tickEvery)
	defer timer.Stop()
	for held := false; !held; {
		select {
		case p.turn <- struct{}{}:
			held = true
		case <-timer.C:
			timer.Reset(tickEvery)
		case <-p.ctx.Done():
			return nil
		}
		alive()
	}
	defer func() { <-p.turn }()
	for p.ctx.Err() == nil {
		load, wait := p.take(time.Now())
		if load != nil {
			return load
		}
		timer.Reset(min(wait, tickEvery))
		select {
		case <-p.changed:
		case <-timer.C:
		case <-p.ctx.Done():
		}
		alive()
	}
	return nil
}

// take returns the payload that is due, or how long it will be until one is.
func (p *pool) take(now time.Time) (*payload, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if wait := p.due(now); wait > 0 {
		return nil, wait
	}
	load := &payload{}
	for len(p.queue) > 0 {
		f := p.queue[0]
		if load.points > 0 && load.points+f.filling.points() > maxPostPoints {
			break
		}
		p.queue = p.queue[1:]
		p.waiting -= f.filling.records
		load.add(f, f.filling)
		f.filling, f.spare, f.flying = f.spare, nil, true
		signal(f.moved)
	}
	p.noteBurst(load, now)
	return load, 0
}

// noteBurst is called when a payload goes and when it comes back.
func (p *pool) noteBurst(load *payload, now time.Time) {
	if load.records() >= enough {
		p.burst = now
	}
}

// due is how long it is until a payload goes: 0 or less is now.
func (p *pool) due(now time.Time) time.Duration {
	switch {
	case len(p.queue) == 0:
		return tickEvery
	case p.waiting >= enough || p.isHurried():
		return 0
	}
	oldest := p.queue[0].since
	for _, f := range p.queue[1:] {
		if f.since.Before(oldest) {
			oldest = f.since
		}
	}
	limit := p.wait
	if p.waiting >= some || !oldest.After(p.burst.Add(burstGrace)) {
		limit = min(limit, someWait)
	}
	return oldest.Add(limit).Sub(now)
}

// finish acknowledges a payload, or notes that it was not written: then the
// writers have been told to end, and nothing behind it is written either.
func (p *pool) finish(load *payload, written bool) {
	if written {
		for i, f := range load.feeds {
			f.claim.Done(load.batches[i].next, load.batches[i].millis)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.noteBurst(load, time.Now())
	for i, f := range load.feeds {
		f.flying = false
		p.held -= load.batches[i].records
		if !written {
			f.lost += load.batches[i].records
		} else if f.filling.records > 0 {
			p.enqueue(f, true, f.filling.records)
		}
		load.batches[i].reset()
		f.spare = load.batches[i]
		signal(f.moved)
	}
	signal(p.changed) // what was enqueued may be older than what waits already, or the rest of a burst
}

// buffered is the number of records that were read and are not written yet.
func (p *pool) buffered() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held
}

// signal leaves a token unless there is one already.
func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
