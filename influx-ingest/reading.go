package main

import (
	"context"
	"strconv"
	"time"

	"github.com/IBM/sarama"

	"fintrans/internal/consume"
)

const (
	// So many records are encoded before they are handed over: once for many,
	// where there are many.
	maxChunk = 256
	// A claim whose batch has been full for this long is paused: its partition
	// is not fetched, which would hold up the others of its broker.
	pauseAfter = 250 * time.Millisecond
)

// claim is what the reading needs of a consume.Claim.
type claim interface {
	marker
	Topic() string
	Partition() int32
	Messages() <-chan *sarama.ConsumerMessage
	Tick()
}

var _ claim = (*consume.Claim)(nil)

// pauses stops and goes on with the fetching of a partition.
type pauses interface {
	Pause(topic string, partition int32)
	Resume(topic string, partition int32)
}

// reading is the loop over one claim: take what is there, encode it, hand it over.
type reading struct {
	pool     *pool
	session  *session
	claim    claim
	pauses   pauses
	encoder  encoder
	skip     func(*sarama.ConsumerMessage, consume.Reason)
	metrics  *metrics
	maxAhead time.Duration
	maxAge   time.Duration // of the retention

	feed      *feed
	chunk     batch
	expired   int
	fullSince time.Time // zero while there is room
	paused    bool
}

func newReading(i *ingest, s *session, c claim, city int) *reading {
	return &reading{
		pool:     s.pool,
		session:  s,
		claim:    c,
		pauses:   i.group,
		encoder:  i.stream.encoder(c.Topic(), c.Partition()),
		skip:     i.stream.bad.Skip,
		metrics:  i.sink.metrics,
		maxAhead: i.cfg.MaxAhead.Duration(),
		maxAge:   i.stream.policy.duration,
		feed:     newFeed(c, c.Topic()+"/"+strconv.Itoa(int(c.Partition())), city),
	}
}

// run reads until the session ends, and then waits until what was read is
// written, for as long as a drain may take.
func (r *reading) run(ctx context.Context) {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for open := true; open && ctx.Err() == nil; {
		messages := r.claim.Messages()
		if !r.fullSince.IsZero() {
			messages = nil
		}
		select {
		case <-ctx.Done():
		case msg, ok := <-messages:
			if open = ok; ok {
				r.gather(msg)
				r.handOver()
			}
		case <-r.feed.moved:
			r.goOn()
		case <-tick.C:
			r.claim.Tick()
			r.holdBack()
		}
	}
	r.session.leave(r.feed.name, r.pool.drain(r.feed, r.claim.Tick))
}

// gather encodes what is there already, up to a chunk.
func (r *reading) gather(msg *sarama.ConsumerMessage) {
	now := time.Now()
	latest := now.Add(r.maxAhead).UnixMilli()
	earliest := now.Add(-r.maxAge).UnixMilli()
	for r.encode(msg, earliest, latest); r.chunk.records < maxChunk; r.encode(msg, earliest, latest) {
		var ok bool
		select {
		case msg, ok = <-r.claim.Messages():
			if !ok {
				return // run sees it again
			}
		default:
			return
		}
	}
}

// encode adds one record to the chunk: as a point, or as one to pass over.
func (r *reading) encode(msg *sarama.ConsumerMessage, earliest, latest int64) {
	millis, reason := r.encoder.read(msg, latest)
	switch {
	case reason != nil:
		r.skip(msg, reason)
	case millis < earliest:
		r.expired++
	default:
		r.chunk.lines = r.encoder.appendPoint(r.chunk.lines)
		r.chunk.point(msg.Offset, millis)
	}
	r.chunk.record(msg.Offset, msg.Timestamp.UnixMilli())
}

// handOver leaves the chunk in the pool.
func (r *reading) handOver() {
	r.claim.Tick()
	if r.expired > 0 {
		r.metrics.expired[r.feed.city].Add(float64(r.expired))
		r.expired = 0
	}
	if !r.pool.add(r.feed, &r.chunk) {
		r.fullSince = time.Now()
	}
}

// goOn reads again when there is room.
func (r *reading) goOn() {
	if r.fullSince.IsZero() || !r.pool.hasRoom(r.feed) {
		return
	}
	r.fullSince = time.Time{}
	if r.paused {
		r.paused = false
		r.pauses.Resume(r.claim.Topic(), r.claim.Partition())
	}
}

// holdBack pauses a partition whose batch has been full for a while.
func (r *reading) holdBack() {
	if r.paused || r.fullSince.IsZero() || time.Since(r.fullSince) < pauseAfter {
		return
	}
	r.paused = true
	r.metrics.pauses.Inc()
	r.pauses.Pause(r.claim.Topic(), r.claim.Partition())
}
