package main

import (
	"context"
	"errors"
	"time"

	"github.com/IBM/sarama"

	"fintrans/internal/consume"
)

const (
	tickEvery = 500 * time.Millisecond
	// A batch is judged in one go, without giving way to the partition's other topics.
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
	batch    []*sarama.ConsumerMessage
	full     bool // memory is: nothing is taken
}

func (r *reading) run() error {
	ctx := r.sess.Context()
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		messages := r.claim.Messages()
		if r.full {
			messages = nil
		}
		select {
		case <-ctx.Done():
		case msg, ok := <-messages:
			if !ok {
				return nil
			}
			r.gather(msg)
			if err := r.judge(ctx); err != nil {
				return err
			}
		case <-tick.C:
			r.idle(ctx)
		}
		r.watchMemory()
	}
	return nil
}

// gather takes what is there already, up to a batch.
func (r *reading) gather(first *sarama.ConsumerMessage) {
	r.batch = append(r.batch[:0], first)
	for len(r.batch) < maxBatch {
		select {
		case msg, ok := <-r.claim.Messages():
			if !ok {
				return // run sees it again
			}
			r.batch = append(r.batch, msg)
		default:
			return
		}
	}
}

// judge deals with the batch and marks what is done: all of it, or what came
// before a transaction whose alert could not be written.
func (r *reading) judge(ctx context.Context) error {
	r.claim.Tick()
	done, lines, err := r.shard.judge(ctx, r.topic, r.batch, r.claim.Tick)
	if done > 0 {
		last := r.batch[done-1]
		r.claim.Done(last.Offset+1, last.Timestamp.UnixMilli())
		marked := r.session.uncommitted.Add(int64(done))
		if lines > 0 || marked >= commitRecords {
			r.commit(ctx)
		}
	}
	if errors.Is(err, context.Canceled) {
		return nil // the session is over; what is not marked is read again
	}
	return err
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
