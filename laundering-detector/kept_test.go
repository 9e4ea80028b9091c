package main

import (
	"context"
	"testing"

	"fintrans/internal/kafka"
	"fintrans/internal/transaction"
	"fintrans/internal/window"
)

// rejoin ends the session of the fixture's shard and begins the next one, with claims that go on where they were;
// change makes it otherwise. It returns whether the window is kept.
func (f *fixture) rejoin(change func(next *session, s *shard)) bool {
	f.Helper()
	d := f.shard.detector
	ended := f.shard.session
	ended.release = func() {}
	ended.shards = map[int32]*shard{0: f.shard}
	d.announce(ended)
	d.Cleanup(nil)

	next := &session{generation: ended.generation + 1, partitions: ended.partitions, shards: map[int32]*shard{}}
	s := newShard(d, next, 0)
	next.shards[0] = s
	for i := range s.topics {
		s.topics[i].claim = f.claims[i]
		s.topics[i].initial = max(f.shard.outbox.markable(i), f.shard.topics[i].initial)
	}
	if change != nil {
		change(next, s)
	}
	d.handOver(next)
	f.shard = s
	return s.takeOver()
}

// read makes a fixture's window complete, as when there is nothing to read back.
func (f *fixture) read() { close(f.shard.rebuilt) }

func TestAWindowGoesOnWithItsPartition(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.read()
	f.all(minutes(0))
	f.send("London", "396 465 6000", minutes(1))
	f.send("SF", "516 482 6000", minutes(1))
	f.send("NYC", "516 482 6000", minutes(2))
	low := f.shard.low
	if !f.rejoin(nil) {
		t.Fatal("nothing was kept")
	}
	if f.shard.low != low {
		t.Errorf("low is %d, want %d", f.shard.low, low)
	}
	f.send("Tokyo", "516 482 1", minutes(3))
	if f.alerts() != 1 {
		t.Errorf("got %q, want one alert: the episode goes on", f.out)
	}
	f.send("Tokyo", "396 465 6000", minutes(3))
	if f.alerts() != 2 {
		t.Errorf("got %q, want an alert with what was sent before the rebalance", f.out)
	}
}

// What is published and not committed is judged again, and was not alerted again: no matter in which session.
func TestWhatIsKnownIsKept(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.read()
	f.all(minutes(0))
	pair := transaction.PairOf(516, 482)
	f.shard.topics[0].known.add(knownAlert{offset: f.next + 1, at: minutes(1), pair: pair})
	if !f.rejoin(nil) {
		t.Fatal("nothing was kept")
	}
	f.send(transaction.Cities()[0], "516 482 10001", minutes(1))
	if f.alerts() != 0 {
		t.Errorf("got %q, which is published already", f.out)
	}
}

func TestAWindowIsReadBackUnlessItGoesOn(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		before func(*fixture)         // is done before the session ends
		change func(*session, *shard) // makes the next one
		want   bool
	}{
		{"nothing came", nil, nil, true},
		{"the same generation", nil, func(next *session, _ *shard) { next.generation-- }, true},
		{"a generation is missing", nil, func(next *session, _ *shard) { next.generation++ }, false},
		{"a generation before", nil, func(next *session, _ *shard) { next.generation -= 2 }, false},
		{"partitions were added", nil, func(next *session, _ *shard) { next.partitions++ }, false},
		{"less is committed", nil, func(_ *session, s *shard) { s.topics[2].initial-- }, false},
		{"more is committed", nil, func(_ *session, s *shard) { s.topics[2].initial++ }, false},
		{"the log does not have what is committed", nil, func(_ *session, s *shard) { s.topics[2].initial = -2 }, false},
		{"a line was not written", func(f *fixture) { f.shard.broken = true }, nil, false},
		{"an alert is not published", func(f *fixture) {
			f.shard.outbox.publisher = &publisher{}
			f.shard.outbox.add(announcement{Alert: window.Alert{}})
		}, func(_ *session, s *shard) { s.outbox.publisher = nil }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil)
			f.read()
			f.all(minutes(0))
			if tt.before != nil {
				tt.before(f)
			}
			if got := f.rejoin(tt.change); got != tt.want {
				t.Errorf("kept: %v, want %v", got, tt.want)
			}
		})
	}
}

func TestAnIncompleteWindowIsNotKept(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	if f.rejoin(nil) {
		t.Error("a window was kept that was not read back yet")
	}
}

// A transaction whose line could not be written is in the window, and comes again.
func TestAWindowWithAnUnwrittenLineIsNotKept(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.read()
	f.all(minutes(0))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	written := f.shard.detector.printer
	f.shard.detector.printer = newPrinter(testRuntime(f.out)) // of which nobody takes a job
	if _, _, err := f.shard.judge(ctx, 2, []kafka.Record{{Offset: f.next + 1, Value: []byte("516 482 10001"), Millis: minutes(1)}}, func() {}); err == nil {
		t.Fatal("the line was written")
	}
	f.shard.detector.printer = written
	if f.rejoin(nil) {
		t.Error("the window was kept")
	}
}

// The claims that wait for the window begin at once; without a broker, nothing could be read back.
func TestClaimsBeginWithTheWindowThatIsKept(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.read()
	f.send("SF", "516 482 6000", minutes(1))
	next := newShard(f.shard.detector, f.shard.session, 0)
	next.topics[2].initial = f.next + 1
	next.before = f.shard.keep()
	next.complete(context.Background())
	if !next.whole() {
		t.Error("the window is not complete")
	}
	if got := f.shard.detector.metrics.sizes[0]; got.Pairs != 1 {
		t.Errorf("the metrics show %+v, want what is kept", got)
	}
}

// A window whose partition has moved is not to stay in memory.
func TestWhatHasMovedIsLetGo(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.read()
	f.rejoin(nil)
	if kept := f.shard.detector.kept; kept.shards != nil {
		t.Errorf("still kept: %v", kept.shards)
	}
}
