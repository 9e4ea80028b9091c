package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fintrans/internal/consume"
	"fintrans/internal/kafka"
	"fintrans/internal/transaction"
)

// fakeClaim is a claim of London/3.
type fakeClaim struct {
	marks
	batches chan *kafka.Batch
}

func (*fakeClaim) Topic() string                  { return "London" }
func (*fakeClaim) Partition() int32               { return 3 }
func (*fakeClaim) Tick()                          {}
func (c *fakeClaim) Batches() <-chan *kafka.Batch { return c.batches }

// bench is a reading over fakes, with one writer to a function in InfluxDB's place.
type bench struct {
	*reading
	claim *fakeClaim
	sink  *sink
	bad   map[int64]consume.Reason
	work  sync.WaitGroup
	stop  context.CancelFunc
}

func newBench(t *testing.T, post func(ctx context.Context, lines []byte) verdict) *bench {
	t.Helper()
	b := &bench{
		claim: &fakeClaim{batches: make(chan *kafka.Batch, 2)},
		sink:  quietSink(post),
		bad:   map[int64]consume.Reason{},
	}
	s := &session{pool: newPool(time.Second), left: map[string]int{}}
	b.reading = &reading{
		pool: s.pool, session: s, claim: b.claim, metrics: b.sink.metrics, maxAhead: time.Minute, maxAge: hourPolicy.duration,
		skip: func(_ string, _ int32, record *kafka.Record, reason consume.Reason) { b.bad[record.Offset] = reason },
		feed: newFeed(b.claim, "London/3", 0), encoder: &transactions{key: seriesKey(measurement, "London", 3)},
	}
	ctx, cancel := context.WithCancel(t.Context())
	b.stop = cancel
	w := &writer{pool: s.pool, sink: b.sink, loop: b.sink.health.Loop("write")}
	s.work.Go(func() { w.run(func() {}) })
	b.work.Go(func() { b.run(ctx) })
	return b
}

// end ends the session as a rebalance does.
func (b *bench) end() {
	b.stop()
	b.work.Wait()
	b.pool.giveUp()
	b.session.work.Wait()
}

func record(offset int64, at time.Time, value string) kafka.Record {
	return kafka.Record{Offset: offset, Millis: at.UnixMilli(), Value: []byte(value)}
}

// fetched is what a fetch brought.
func fetched(records ...kafka.Record) *kafka.Batch { return kafka.NewBatch(records...) }

func TestReadingSortsRecords(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		influx := &script{answers: []verdict{{kind: accepted}}}
		b := newBench(t, influx.post)
		now := time.Now()
		b.claim.batches <- fetched(record(10, now, "396 465 6789"))
		b.claim.batches <- fetched(record(11, now, "noise"))
		b.claim.batches <- fetched(record(12, now.Add(-hourPolicy.duration-time.Millisecond), "1 2 3"))
		b.claim.batches <- fetched(record(13, now.Add(-hourPolicy.duration), "4 5 6"))
		b.claim.batches <- fetched(record(14, now.Add(time.Minute+time.Millisecond), "1 2 3"))
		b.claim.batches <- fetched(record(15, time.Time{}, "1 2 3"))
		b.claim.batches <- fetched(record(17, now, "7 8 9"))
		b.claim.batches <- fetched(record(18, now, ""))
		<-time.After(2 * time.Second)
		b.end()
		if len(influx.stored) != 3 {
			t.Errorf("got %d points: %v", len(influx.stored), influx.stored)
		}
		line := fmt.Sprintf("transactions,city=London,partition=3 amount=6789i,source=396i,target=465i %d\n", now.UnixMilli()*1_000_000+10)
		if influx.stored[line] != 1 {
			t.Errorf("no %q in %v", line, influx.stored)
		}
		want := map[int64]transaction.Reason{11: transaction.Fields, 14: transaction.Ahead, 15: transaction.NoTimestamp, 18: transaction.Empty}
		if fmt.Sprint(b.bad) != fmt.Sprint(want) {
			t.Errorf("got bad records %v, want %v", b.bad, want)
		}
		counted(t, b.sink.metrics.expired[0], 1, "expired")
		counted(t, b.sink.metrics.points[0], 3, "points")
		if b.claim.last() != 19 {
			t.Errorf("got marks %v, want 19", b.claim.list())
		}
		if left := b.session.unwritten(); left != "" {
			t.Errorf("left %s", left)
		}
	})
}

// TestReadingIsBounded: while InfluxDB is away, a claim holds two batches and
// stops in the middle of what was fetched, and it goes on afterwards.
func TestReadingIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		influx := &script{}
		back := make(chan struct{})
		b := newBench(t, func(ctx context.Context, lines []byte) verdict {
			select {
			case <-back:
				influx.store(lines)
				return verdict{kind: accepted}
			case <-time.After(time.Second):
				return verdict{kind: unavailable, reason: "away"}
			case <-ctx.Done():
				return verdict{kind: unavailable, reason: "ended"}
			}
		})
		const total, size = 20_000, 1_000
		var sent int64
		var producing sync.WaitGroup
		start := time.Now()
		producing.Go(func() {
			for first := int64(0); first < total; first += size {
				records := make([]kafka.Record, size)
				for i := range records {
					records[i] = record(first+int64(i), start, "1 2 3")
				}
				b.claim.batches <- fetched(records...)
				sent = first + size
			}
		})
		<-time.After(20 * time.Second)
		synctest.Wait()
		if most := 2*(maxBatchPoints+maxChunk) + 4*size; int(sent) > most {
			t.Errorf("read %d records while nothing is written, want at most %d", sent, most)
		}
		if len(b.claim.list()) != 0 {
			t.Errorf("marked %v, though nothing was written", b.claim.list())
		}
		counted(t, b.sink.metrics.pauses, 1, "pauses")
		close(back)
		producing.Wait()
		<-time.After(10 * time.Second)
		if !b.fullSince.IsZero() || b.held {
			t.Error("it is still held up")
		}
		b.end()
		if len(influx.stored) != total || b.claim.last() != total {
			t.Errorf("stored %d points and marked %d of %d", len(influx.stored), b.claim.last(), total)
		}
		if slices.ContainsFunc(b.records[:], func(r kafka.Record) bool { return r.Value != nil }) {
			t.Error("it keeps values of a batch that it has given back")
		}
	})
}

func TestReadingLeavesWhatIsNotWritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(context.Context, []byte) verdict { return verdict{kind: unavailable, reason: "away"} })
		for offset := range int64(7) {
			b.claim.batches <- fetched(record(offset, time.Now(), "1 2 3"))
		}
		<-time.After(3 * time.Second)
		start := time.Now()
		b.end()
		if took := time.Since(start); took > drainTime {
			t.Errorf("the session ended after %v, want %v at most", took, drainTime)
		}
		if got, want := b.session.unwritten(), "London/3 (7 records)"; got != want {
			t.Errorf("left %q, want %q", got, want)
		}
		if len(b.claim.list()) != 0 {
			t.Errorf("marked %v, though nothing was written", b.claim.list())
		}
	})
}

// TestReadingEndsWithItsMessages: the partition's consumer has given up, as it does when the offset is gone.
func TestReadingEndsWithItsMessages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		influx := &script{answers: []verdict{{kind: accepted}}}
		b := newBench(t, influx.post)
		b.claim.batches <- fetched(record(1, time.Now(), "1 2 3"))
		close(b.claim.batches)
		b.work.Wait()
		if b.claim.last() != 2 {
			t.Errorf("got marks %v, want 2", b.claim.list())
		}
		b.end()
	})
}
