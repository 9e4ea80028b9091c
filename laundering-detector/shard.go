package main

import (
	"context"
	"errors"
	"math"
	"sync/atomic"
	"time"

	"fintrans/internal/kafka"
	"fintrans/internal/transaction"
	"fintrans/internal/window"
)

// shard is one partition number over all five topics: everything between two
// accounts is in one shard. Its five claims judge one after the other.
type shard struct {
	detector  *detector
	session   *session
	partition int32

	turn   chan struct{} // held by whoever judges; guards what follows
	topics []topicState
	joined int
	window *window.Window
	outbox *outbox
	low    int64 // no transaction older than this is still to come, but late ones
	idle   idleLow
	// Scratch: of the batch being judged, then of one of its transactions, and of its alert.
	verdicts  []verdict
	pairs     []uint64
	key, line []byte
	broken    bool // a transaction is held whose line was not written
	rebuilt   chan struct{}
	before    *keptShard // of the session before, until it is taken over; nil where nothing was kept
}

// claim is what a shard asks of its claims.
type claim interface {
	// AtEnd reports that nothing but bad records was read since all was that the broker had when it was asked
	// lately, and when that was.
	AtEnd(now time.Time) (asked time.Time, ok bool)
	// Good ends that: a good record was read.
	Good()
	// Silent is for how long no record was dealt with.
	Silent(now time.Time) time.Duration
	// Working reports that a rebuild comes forward.
	Working()
}

// topicState is what the shard knows of its partition of one topic.
type topicState struct {
	claim   claim
	initial int64       // offset of the first record that is not committed
	read    bool        // a good record was
	newest  int64       // time of the newest good record read, in ms since 1970
	bad     int64       // records skipped
	paused  atomic.Bool // for being far ahead of the others
	owed    atomic.Bool // it may go on as soon as there is memory
	known   known       // alerts that are published and judged again
}

func newShard(d *detector, s *session, partition int32) *shard {
	return &shard{
		detector:  d,
		session:   s,
		partition: partition,
		turn:      make(chan struct{}, 1),
		topics:    make([]topicState, len(d.topics)),
		window:    window.New(d.windowConfig()),
		outbox:    newOutbox(d, partition),
		low:       math.MinInt64,
		rebuilt:   make(chan struct{}),
	}
}

// take waits for the shard's turn. It reports false when ctx ended first.
func (s *shard) take(ctx context.Context, alive func()) bool {
	select {
	case s.turn <- struct{}{}:
		return true
	default:
	}
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for {
		select {
		case s.turn <- struct{}{}:
			return true
		case <-ctx.Done():
			return false
		case <-tick.C:
			alive()
		}
	}
}

func (s *shard) give() { <-s.turn }

// judge adds up a batch of one topic, in the order of the log, and writes the
// lines of the alerts. It returns how many records are done with and how many
// lines were written; less than the whole batch only with an error.
func (s *shard) judge(ctx context.Context, topic int, batch []kafka.Record, alive func()) (done, lines int, err error) {
	if err := s.outbox.room(ctx, alive); err != nil {
		return 0, 0, err
	}
	if !s.take(ctx, alive) {
		return 0, 0, ctx.Err()
	}
	defer s.give()
	if s.broken {
		// The session is ending. What is judged now would be judged against a transaction whose line is not out, and
		// could be committed: that one would then find its pair above the threshold, and nobody would alert.
		return 0, 0, context.Canceled
	}
	m := s.detector.metrics
	start := time.Now()
	s.read(batch, s.detector.latest())
	for i := range batch {
		alerted, err := s.observe(ctx, topic, &batch[i], &s.verdicts[i], alive)
		if err != nil {
			s.broken = true
			m.judged(topic, i, lines, start)
			s.outbox.advance(topic, batch[i].Offset)
			return i, lines, err
		}
		if alerted {
			lines++
		}
	}
	m.judged(topic, len(batch), lines, start)
	s.outbox.advance(topic, batch[len(batch)-1].Offset+1)
	if len(s.pairs) > 0 {
		s.topics[topic].claim.Good()
		s.forget(topic)
	}
	m.held(s.partition, s.window.Size())
	s.keepPace()
	return len(batch), lines, nil
}

// read says which records are transactions, and has the window get ready for them.
func (s *shard) read(batch []kafka.Record, latest int64) {
	s.verdicts, s.pairs = s.verdicts[:0], s.pairs[:0]
	for i := range batch {
		t, reason := transaction.Judge(batch[i].Value, batch[i].Millis, latest)
		s.verdicts = append(s.verdicts, verdict{t, reason})
		if reason == transaction.None {
			s.pairs = append(s.pairs, uint64(t.Pair()))
		}
	}
	s.window.Expect(s.pairs)
}

// verdict is a record's transaction, or the reason why it is none.
type verdict struct {
	transaction.Transaction
	reason transaction.Reason
}

// observe judges one record. A line is out when it returns, before any other
// transaction of the shard is judged: else another topic's record could be
// judged against this one and committed, and after a crash nobody would alert.
func (s *shard) observe(ctx context.Context, topic int, record *kafka.Record, v *verdict, alive func()) (bool, error) {
	if v.reason != transaction.None {
		s.topics[topic].bad++
		s.detector.bad.Skip(s.detector.topics[topic], s.partition, record, v.reason)
		return false, nil
	}
	at, pair := record.Millis, v.Pair()
	s.checkRoute(topic, record, pair)
	s.checkLate(topic, at)
	alert, alerted := s.window.Observe(uint64(pair), v.Amount, at, uint8(topic))
	if !alerted {
		return false, nil
	}
	if s.topics[topic].known.has(knownAlert{offset: record.Offset, at: at, pair: pair}) {
		s.detector.metrics.known.Inc()
		return false, nil
	}
	s.line = appendLine(s.line[:0], bool(s.detector.cfg.ProdOutput), pair, alert.Total)
	if err := s.detector.printer.print(ctx, s.line, alive); err != nil {
		if errors.Is(err, errUnknown) {
			s.line = nil // the printer may still hold it
			s.detector.setStuck(s.detector.topics[topic], s.partition, record.Offset)
			err = context.Canceled
		}
		return false, err
	}
	s.outbox.add(announcement{Alert: alert, pair: pair, topic: topic, offset: record.Offset, at: at})
	s.detector.metrics.alertLatency.Observe(time.Since(time.UnixMilli(at)).Seconds())
	return true, nil
}

// checkRoute counts a record that our partitioner would have put elsewhere: if
// others of its pair are there, they are not added up with it.
func (s *shard) checkRoute(topic int, record *kafka.Record, pair transaction.Pair) {
	s.key = pair.AppendKey(s.key[:0])
	if transaction.Partition(s.key, s.session.partitions) != s.partition {
		s.detector.metrics.misroute(s.detector.topics[topic], s.partition, record.Offset, s.detector.rt.Log)
	}
}

// checkLate keeps the newest time of the topic, and counts a transaction that
// is older than the lateness allows: than its predecessors in its own log, or
// than what was already let go of while its topic was silent.
func (s *shard) checkLate(topic int, at int64) {
	st := &s.topics[topic]
	lateness := s.detector.cfg.AlertLateness.Milliseconds()
	if at < s.low || st.read && at < st.newest-lateness {
		s.detector.metrics.late.Inc()
	}
	if !st.read || at > st.newest {
		st.read, st.newest = true, at
	}
}

// forget lets go of what no transaction still to come needs: none of those is
// older than the slowest topic's newest minus the lateness. A topic that has
// nothing more to read does not hold the others back, nor does one that has
// nothing but bad records: their times say nothing of the good ones to come.
func (s *shard) forget(moving int) {
	length := s.detector.cfg.AlertWindow.Milliseconds()
	if length == 0 {
		return
	}
	low, now := int64(math.MaxInt64), time.Now()
	ended := now // since when no idle topic has been seen at its end
	for i := range s.topics {
		st := &s.topics[i]
		if i != moving {
			if asked, ok := st.claim.AtEnd(now); ok {
				if asked.Before(ended) {
					ended = asked
				}
				continue
			}
		}
		if !st.read {
			return // it is about to be read: nobody knows how old its records are
		}
		low = min(low, st.newest-s.detector.cfg.AlertLateness.Milliseconds())
	}
	if s.low = max(s.low, s.settled(low, now, ended)); s.low == math.MinInt64 {
		return // nothing is known of what is still to come
	}
	// What is as old as the window is long still tells a transaction at low
	// whether the sum was above the threshold just before.
	s.window.Forget(s.low - length - 1)
}

// settled is how much of low counts already, where idle topics were left out of
// it: what was judged before all of these were seen at their ends, at the time
// ended. What came later is no older than what such a topic may have been sent
// meanwhile, which is read a moment later and must not be late for that.
func (s *shard) settled(low int64, now, ended time.Time) int64 {
	if ended.Equal(now) { // no topic is idle; what was noted stays good for one that is so now and then
		return low
	}
	before := int64(math.MinInt64)
	if !s.idle.at.IsZero() {
		if !ended.After(s.idle.at) {
			return before
		}
		before = min(low, s.idle.low)
	}
	s.idle = idleLow{low: low, at: now}
	return before
}

// idleLow is what low was without the topics that were idle at that time.
type idleLow struct {
	low int64
	at  time.Time
}

// reconsider lets topics go on that waited for one that now stands still.
func (s *shard) reconsider(ctx context.Context, alive func()) {
	if s.take(ctx, alive) {
		s.keepPace()
		s.give()
	}
}
