package main

import (
	"context"
	"strconv"
	"time"

	"fintrans/internal/consume"
	"fintrans/internal/kafka"
	"fintrans/internal/service"
)

const (
	// So many records are encoded before they are handed over: once for many,
	// where there are many.
	maxChunk = 256
	// A claim whose batch has been full for this long is held up, and so counted.
	heldAfter = 250 * time.Millisecond
)

// claim is what the reading needs of a consume.Claim.
type claim interface {
	marker
	Topic() string
	Partition() int32
	Batches() <-chan *kafka.Batch
	Tick()
}

var _ claim = (*consume.Claim)(nil)

// reading is the loop over one claim: take what is there, encode it, hand it over.
type reading struct {
	pool     *pool
	session  *session
	claim    claim
	encoder  encoder
	skip     func(topic string, partition int32, record *kafka.Record, reason consume.Reason)
	metrics  *metrics
	maxAhead time.Duration
	maxAge   time.Duration // of the retention

	feed      *feed
	fetched   *kafka.Batch           // that is being encoded, nil before the next
	records   [maxChunk]kafka.Record // scratch: those of it that are
	chunk     batch
	expired   int
	fullSince time.Time // zero while there is room
	held      bool      // there was none for a while
}

func newReading(i *ingest, s *session, c claim, city int) *reading {
	return &reading{
		pool:     s.pool,
		session:  s,
		claim:    c,
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
	tick := service.NewTicker(tickEvery)
	defer tick.Stop()
	for open := true; open && ctx.Err() == nil; {
		batches := r.claim.Batches()
		if r.fetched != nil {
			batches = nil
		}
		select {
		case <-ctx.Done():
		case fetched, ok := <-batches:
			if open = ok; ok {
				r.fetched = fetched
				r.encodeRest()
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

// encodeRest encodes what is left of the fetched batch, for as long as there is room for it.
func (r *reading) encodeRest() {
	for r.fetched.Left() > 0 {
		if !r.fullSince.IsZero() {
			return
		}
		r.encode(r.fetched.Next(r.records[:]))
		r.handOver()
	}
	clear(r.records[:]) // they would keep what the batch lets go of
	r.fetched.Release()
	r.fetched = nil
}

// encode adds records to the chunk: as points, or as what is passed over.
func (r *reading) encode(records []kafka.Record) {
	now := time.Now()
	latest := now.Add(r.maxAhead).UnixMilli()
	earliest := now.Add(-r.maxAge).UnixMilli()
	for i := range records {
		record := &records[i]
		millis, reason := r.encoder.read(record, latest)
		switch {
		case reason != nil:
			r.skip(r.claim.Topic(), r.claim.Partition(), record, reason)
		case millis < earliest:
			r.expired++
		default:
			r.chunk.lines = r.encoder.appendPoint(r.chunk.lines)
			r.chunk.point(record.Offset, millis)
		}
		r.chunk.record(record.Offset, record.Millis)
	}
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
	r.fullSince, r.held = time.Time{}, false
	if r.fetched != nil {
		r.encodeRest()
	}
}

// holdBack counts that InfluxDB holds up a partition. It is not fetched then, because its batches are not released.
func (r *reading) holdBack() {
	if r.held || r.fullSince.IsZero() || time.Since(r.fullSince) < heldAfter {
		return
	}
	r.held = true
	r.metrics.pauses.Inc()
}
