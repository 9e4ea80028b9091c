package main

import (
	"context"
	"errors"
	"time"

	"fintrans/internal/consume"
	"fintrans/internal/kafka"
	"fintrans/internal/service"
)

const (
	tickEvery = 500 * time.Millisecond
	// So many are judged in one go, without giving way to the partition's other topics.
	maxBatch = 256
)

// reading is the loop over one claim: take what is there, judge it, mark it.
type reading struct {
	detector *detector
	session  *session
	sess     *consume.Session
	shard    *shard
	claim    *consume.Claim
	topic    int
	records  [maxBatch]kafka.Record // scratch: those that are judged in one go
	full     bool                   // memory is: nothing is taken
	marked   int64                  // the first offset that is not; negative before the first record
}

func (r *reading) run() error {
	defer r.publishRest()
	ctx := r.sess.Context()
	r.marked = -1
	tick := service.NewTicker(tickEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		batches := r.claim.Batches()
		if r.full {
			batches = nil
		}
		select {
		case <-ctx.Done():
		case batch, ok := <-batches:
			if !ok {
				return nil
			}
			if err := r.judgeAll(ctx, batch); err != nil {
				return err
			}
		case <-r.shard.outbox.acked[r.topic]:
			r.settle(ctx, true)
		case <-tick.C:
			r.idle(ctx)
		}
		r.watchMemory()
	}
	return nil
}

// judgeAll deals with what a fetch has brought, some at a time.
func (r *reading) judgeAll(ctx context.Context, fetched *kafka.Batch) error {
	defer fetched.Release()
	defer clear(r.records[:]) // they would keep what the batch lets go of
	for fetched.Left() > 0 {
		if whole, err := r.judge(ctx, fetched.Next(r.records[:])); !whole {
			return err
		}
	}
	return nil
}

// judge deals with the records, all of them, or those before a transaction whose alert could not be written.
func (r *reading) judge(ctx context.Context, records []kafka.Record) (whole bool, err error) {
	r.claim.Tick()
	if r.marked < 0 {
		r.marked = records[0].Offset
	}
	done, lines, err := r.shard.judge(ctx, r.topic, records, r.claim.Tick)
	if done > 0 {
		last := records[done-1]
		r.claim.Passed(last.Offset+1, last.Millis)
		// Where there is an alert topic, its acknowledgement is what a commit waits for.
		r.settle(ctx, lines > 0 && !r.shard.outbox.publishes())
	}
	if errors.Is(err, context.Canceled) {
		return false, nil // the session is over; what is not marked is read again
	}
	return done == len(records), err
}

// settle marks what was judged, as far as the alerts that are out are published,
// and commits if that is due or was not done for many records.
func (r *reading) settle(ctx context.Context, due bool) {
	moved := int64(0)
	if next := r.shard.outbox.markable(r.topic); next > r.marked {
		moved = next - r.marked
		r.claim.Mark(next)
		r.marked = next
	}
	if uncommitted := r.session.uncommitted.Add(moved); uncommitted > 0 && due || uncommitted >= commitRecords {
		r.commit(ctx)
	}
}

// publishRest waits, at the end of a session, until the alerts that are out are
// published, for as long as there is time for that, and marks what it may.
func (r *reading) publishRest() {
	over := time.NewTimer(publishTime)
	defer over.Stop()
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for {
		if next := r.shard.outbox.markable(r.topic); next > r.marked {
			r.claim.Mark(next)
			r.marked = next
		}
		if r.shard.outbox.pending() == 0 {
			return
		}
		select {
		case <-r.shard.outbox.acked[r.topic]:
		case <-over.C:
			return
		case <-tick.C:
			r.claim.Tick()
		}
	}
}

func (r *reading) commit(ctx context.Context) {
	r.session.uncommitted.Store(0)
	r.session.committedAt.Store(time.Now().UnixNano())
	r.sess.Commit(ctx, r.claim.Tick)
	r.detector.metrics.commits.Inc()
}

// idle is what happens about twice a second, also when records flow.
func (r *reading) idle(ctx context.Context) {
	r.claim.Tick()
	r.shard.reconsider(ctx, r.claim.Tick)
	since := time.Since(time.Unix(0, r.session.committedAt.Load()))
	if since > commitEvery && r.session.uncommitted.Load() > 0 {
		r.commit(ctx)
	}
}

// watchMemory stops reading while memory is nearly full: what is read and not
// judged is lost on nobody, it is in Kafka.
func (r *reading) watchMemory() {
	full, st := r.detector.full(), &r.shard.topics[r.topic]
	switch {
	case full && !r.full:
		r.detector.group.Pause(r.claim.Topic(), r.claim.Partition())
	case !full && !st.paused.Load() && (st.owed.Swap(false) || r.full):
		r.detector.group.Resume(r.claim.Topic(), r.claim.Partition())
	}
	r.full = full
}
