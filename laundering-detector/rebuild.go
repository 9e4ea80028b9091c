package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/sirupsen/logrus"

	"fintrans/internal/consume"
	"fintrans/internal/kafka"
	"fintrans/internal/transaction"
	"fintrans/internal/window"
)

// join adds one topic's claim. The last of the five starts the rebuild, for
// which all wait: judged against a part of the window, a transaction could
// stay silent that should alert, or alert once more. False: the session ended.
func (s *shard) join(ctx context.Context, topic int, c *consume.Claim) bool {
	if !s.take(ctx, c.Tick) {
		return false
	}
	st := &s.topics[topic]
	st.claim, st.initial = c, c.InitialOffset()
	s.joined++
	if s.joined == len(s.topics) {
		s.session.work.Go(func() { s.complete(ctx) })
	}
	s.give()

	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.rebuilt:
			return ctx.Err() == nil
		case <-ctx.Done():
			return false
		case <-tick.C:
			c.Tick()
		}
	}
}

// complete has the window hold all that was judged before.
func (s *shard) complete(ctx context.Context) {
	if !s.takeOver() {
		s.rebuildUntilDone(ctx)
		return
	}
	d := s.detector
	d.metrics.held(s.partition, s.window.Size())
	d.rt.Log.WithField("partition", s.partition).Info("the window is kept: the partition stays with this member")
	close(s.rebuilt)
}

// rebuildUntilDone tries until the window is complete or the session is over.
func (s *shard) rebuildUntilDone(ctx context.Context) {
	start := time.Now()
	for {
		s.detector.metrics.rebuilding.Inc()
		records, err := s.rebuild(ctx)
		s.detector.metrics.rebuilding.Dec()
		if err == nil {
			s.finish(start, records)
			return
		}
		if ctx.Err() != nil {
			return
		}
		s.detector.rt.Log.WithError(err).WithField("partition", s.partition).Warn("reading the window back from Kafka: trying again")
		wait(ctx, time.Second)
	}
}

// finish lets the claims begin: the window is complete.
func (s *shard) finish(start time.Time, records int) {
	d := s.detector
	d.metrics.rebuilt(records, start)
	d.metrics.held(s.partition, s.window.Size())
	d.rt.Log.WithFields(logrus.Fields{
		"partition": s.partition, "records": records, "took": time.Since(start).Round(time.Millisecond),
	}).Info("window read back from Kafka")
	close(s.rebuilt)
}

// rebuild reads back what was judged before: of each topic the records below
// its committed offset, as far back as any transaction that is still to be
// judged can need. Where that begins is told by the records alone, never by
// the clock: after a week of downtime the same transactions are judged the same.
func (s *shard) rebuild(ctx context.Context) (int, error) {
	s.reset()
	logs, err := s.logs()
	if err != nil {
		return 0, err
	}
	from := int64(0)
	if length := s.detector.cfg.AlertWindow.Milliseconds(); length > 0 {
		oldest, err := s.reference(ctx, logs)
		if err != nil {
			return 0, err
		}
		if oldest == math.MaxInt64 {
			return 0, nil // no good record anywhere
		}
		s.low = oldest - s.detector.cfg.AlertLateness.Milliseconds() // no transaction still to be judged is older, but late ones
		from = max(0, oldest-s.detector.cfg.AlertLateness.Milliseconds()-length)
	}
	if err := s.recall(ctx, logs.starts, from); err != nil {
		return 0, err
	}
	begins, err := s.begins(logs, from)
	if err != nil {
		return 0, err
	}
	records := 0
	for topic, begin := range begins {
		n, err := s.readBack(ctx, topic, begin, logs.starts[topic])
		if err != nil {
			return 0, fmt.Errorf("%s/%d: %w", s.detector.topics[topic], s.partition, err)
		}
		records += n
	}
	return records, nil
}

// reset begins with nothing, also after an attempt that failed half-way.
func (s *shard) reset() {
	s.window, s.low = window.New(s.detector.windowConfig()), math.MinInt64
	for i := range s.topics {
		s.topics[i].read, s.topics[i].newest = false, 0
		s.topics[i].known = known{}
	}
}

// reference is the smallest time, over the topics, of the first good record
// that is not committed, or of the newest one where all are; MaxInt64 where no
// topic has any.
func (s *shard) reference(ctx context.Context, l logs) (int64, error) {
	smallest := int64(math.MaxInt64)
	for topic, start := range l.starts {
		at, found, err := s.firstGood(ctx, topic, start, l.ends[topic])
		if err == nil && !found {
			at, found, err = s.newestGood(ctx, topic, l.oldest[topic], start)
		}
		if err != nil {
			return 0, fmt.Errorf("%s/%d: %w", s.detector.topics[topic], s.partition, err)
		}
		if found {
			smallest = min(smallest, at)
		}
	}
	return smallest, nil
}

// firstGood is the time of the first good record in [start, end).
func (s *shard) firstGood(ctx context.Context, topic int, start, end int64) (at int64, found bool, err error) {
	_, err = s.visit(ctx, topic, start, end, func(_ transaction.Transaction, millis int64) bool {
		at, found = millis, true
		return false
	})
	return at, found, err
}

// newestGood is the newest time among the last good records below start. It
// looks at a stretch of the log rather than at one record, which may be a late one.
func (s *shard) newestGood(ctx context.Context, topic int, oldest, start int64) (at int64, found bool, err error) {
	for span := int64(1000); ; span *= 10 {
		from := max(oldest, start-span)
		_, err = s.visit(ctx, topic, from, start, func(_ transaction.Transaction, millis int64) bool {
			if !found || millis > at {
				at, found = millis, true
			}
			return true
		})
		if err != nil || found || from == oldest {
			return at, found, err
		}
	}
}

// readBack loads what lies in [from, start).
func (s *shard) readBack(ctx context.Context, topic int, from, start int64) (int, error) {
	st := &s.topics[topic]
	return s.visit(ctx, topic, from, start, func(t transaction.Transaction, at int64) bool {
		s.window.Load(uint64(t.Pair()), t.Amount, at, uint8(topic))
		if !st.read || at > st.newest {
			st.read, st.newest = true, at
		}
		return true
	})
}

// visit calls each for the good records in [from, to) until it returns false,
// and returns how many there were. It waits while memory is full.
func (s *shard) visit(ctx context.Context, topic int, from, to int64, each func(transaction.Transaction, int64) bool) (int, error) {
	if from >= to {
		return 0, nil
	}
	d, count := s.detector, 0
	latest := d.latest()
	_, err := d.reader.Read(ctx, d.topics[topic], s.partition, from, to, func(records []kafka.Record) bool {
		s.read(records, latest)
		for i, v := range s.verdicts {
			if v.reason != transaction.None {
				continue // counted when it was consumed, or will be
			}
			count++
			if !each(v.Transaction, records[i].Millis) {
				return false
			}
		}
		for i := range s.topics {
			s.topics[i].claim.Working()
		}
		for d.full() && ctx.Err() == nil {
			wait(ctx, tickEvery)
		}
		return ctx.Err() == nil
	})
	if err == nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	if errors.Is(err, context.Canceled) {
		err = context.Cause(ctx)
	}
	return count, err
}

// wait returns after a while, or at once when ctx ends.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
