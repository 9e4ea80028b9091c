package main

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	client "github.com/influxdata/influxdb1-client/v2"

	"fintrans/internal/kafka"
	"fintrans/internal/service"
)

// script answers POSTs in turn, and the last answer again and again.
type script struct {
	answers []verdict
	mu      sync.Mutex
	at      []time.Time
	points  []int
	stored  map[string]int // lines, and how often they were accepted
}

func (s *script) post(_ context.Context, lines []byte) verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.at)
	s.at = append(s.at, time.Now())
	s.points = append(s.points, bytes.Count(lines, []byte("\n")))
	v := s.answers[min(n, len(s.answers)-1)]
	if v.kind == accepted {
		s.store(lines)
	}
	return v
}

func (s *script) attempts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.at)
}

func (s *script) store(lines []byte) {
	if s.stored == nil {
		s.stored = map[string]int{}
	}
	for line := range bytes.Lines(lines) {
		s.stored[string(line)]++
	}
}

// writing is a writer over such an InfluxDB, and the feed of one claim.
func writing(s *sink) (*writer, *feed, *marks) {
	m := &marks{}
	p := newPool(0)
	return &writer{pool: p, sink: s, loop: s.health.Loop("write")}, newFeed(m, "London/3", 0), m
}

func loaded(f *feed, first, n int64) part {
	load := &payload{}
	load.add(f, filled(first, n))
	return load.whole()
}

func TestStoreTriesAgainUntilItIsTaken(t *testing.T) {
	t.Parallel()
	for _, k := range []kind{unavailable, denied, unexpected} {
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				trouble := verdict{kind: k, status: 500, reason: "no"}
				answers := slices.Repeat([]verdict{trouble}, 12)
				influx := &script{answers: append(answers, verdict{kind: accepted})}
				w, f, _ := writing(quietSink(influx.post))
				defer w.pool.giveUp()
				if err := w.store(t.Context(), loaded(f, 0, 5)); err != nil {
					t.Fatal(err)
				}
				if len(influx.at) != 13 || len(influx.stored) != 5 {
					t.Fatalf("got %d attempts, %d points", len(influx.at), len(influx.stored))
				}
				for i := 1; i < len(influx.at); i++ {
					most := min(250*time.Millisecond<<(i-1), 5*time.Second)
					if pause := influx.at[i].Sub(influx.at[i-1]); pause < most/2 || pause > most {
						t.Errorf("pause %d is %v, want %v to %v", i, pause, most/2, most)
					}
				}
				counted(t, w.sink.metrics.retries, 12, "retries")
				if w.sink.holding.Load() {
					t.Error("trouble that is over")
				}
			})
		})
	}
}

func TestStoreMakesADatabaseThatWasDropped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		influx := &script{answers: []verdict{{kind: missing, status: 404}, {kind: accepted, status: 204}}}
		w, f, _ := writing(quietSink(influx.post))
		defer w.pool.giveUp()
		if err := w.store(t.Context(), loaded(f, 0, 1)); err != nil {
			t.Fatal(err)
		}
		if got := w.sink.schema.client.(*fakeInflux).statements; len(got) == 0 {
			t.Error("no statement was run")
		}
		if pause := influx.at[1].Sub(influx.at[0]); pause != 0 {
			t.Errorf("wrote again after %v, want at once", pause)
		}
	})
}

func TestStoreMakesTheDatabaseBeforeTheFirstWrite(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		influx := &script{answers: []verdict{{kind: accepted, status: 204}}}
		s := quietSink(influx.post)
		s.schema.made.Store(0)
		tries := 0
		s.schema.client = &fakeInflux{answer: func(string) (*client.Response, error) {
			if tries++; tries <= 3 {
				return nil, errors.New("connection refused")
			}
			return &client.Response{}, nil
		}}
		w, f, _ := writing(s)
		defer w.pool.giveUp()
		if err := w.store(t.Context(), loaded(f, 0, 1)); err != nil {
			t.Fatal(err)
		}
		if len(influx.at) != 1 || tries < 4 {
			t.Errorf("got %d POSTs after %d statements", len(influx.at), tries)
		}
	})
}

func TestStoreGoesOnAfterAPartialWrite(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		influx := &script{answers: []verdict{{kind: partial, status: 400, reason: "partial write: points beyond retention policy dropped=2", dropped: 2}}}
		w, f, _ := writing(quietSink(influx.post))
		defer w.pool.giveUp()
		if err := w.store(t.Context(), loaded(f, 0, 5)); err != nil {
			t.Fatal(err)
		}
		if len(influx.at) != 1 {
			t.Errorf("got %d POSTs, want 1", len(influx.at))
		}
		counted(t, w.sink.metrics.rejected.WithLabelValues(rejectRetention), 2, "rejected")
	})
}

func TestStoreFindsThePointsThatAreRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		influx := &script{}
		poison := []string{"x f=1i 3\n", "x f=1i 7\n"}
		post := func(_ context.Context, lines []byte) verdict {
			for _, p := range poison {
				if strings.Contains(string(lines), p) {
					return verdict{kind: refused, status: 400, reason: "unable to parse"}
				}
			}
			influx.store(lines)
			return verdict{kind: accepted, status: 204}
		}
		w, f, _ := writing(quietSink(post))
		defer w.pool.giveUp()
		p := loaded(f, 0, 10)
		if err := w.store(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		for offset := range 10 {
			line := "x f=1i " + string(rune('0'+offset)) + "\n"
			want := 1
			if slices.Contains(poison, line) {
				want = 0
			}
			if got := influx.stored[line]; got != want {
				t.Errorf("%q: stored %d times, want %d", line, got, want)
			}
		}
		counted(t, w.sink.metrics.rejected.WithLabelValues(rejectParse), 2, "rejected")
		w.sink.metrics.stored(p.load)
		counted(t, w.sink.metrics.points[0], 8, "points")
	})
}

func TestStoreSplitsWhatIsTooLarge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		influx, most := &script{}, 3
		alone := 0
		post := func(_ context.Context, lines []byte) verdict {
			n := bytes.Count(lines, []byte("\n"))
			if n == 1 && bytes.HasSuffix(lines, []byte(" 0\n")) && alone < 2 {
				alone++ // even a single one is too large for a while
				return verdict{kind: tooLarge, status: 413}
			}
			if n > most {
				return verdict{kind: tooLarge, status: 413}
			}
			if n > 1 && bytes.HasPrefix(lines, []byte("x f=1i 0\n")) && alone < 2 {
				return verdict{kind: tooLarge, status: 413}
			}
			influx.store(lines)
			return verdict{kind: accepted, status: 204}
		}
		w, f, _ := writing(quietSink(post))
		defer w.pool.giveUp()
		if err := w.store(t.Context(), loaded(f, 0, 10)); err != nil {
			t.Fatal(err)
		}
		if len(influx.stored) != 10 || alone != 2 {
			t.Errorf("got %d points stored after %d refusals of a single one", len(influx.stored), alone)
		}
		for line, times := range influx.stored {
			if times != 1 {
				t.Errorf("%q was stored %d times", line, times)
			}
		}
	})
}

// TestAHungServerDoesNotHoldASession: the claims return well within a drain and
// a rebalance, and nothing that is not written is marked.
func TestAHungServerDoesNotHoldASession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := quietSink(func(ctx context.Context, _ []byte) verdict {
			<-ctx.Done()
			return verdict{kind: unavailable, reason: "hung"}
		})
		w, f, m := writing(s)
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.run(func() {})
		}()
		w.pool.add(f, filled(0, 10))
		synctest.Wait()
		w.pool.add(f, filled(10, 10))
		start := time.Now()
		if left := w.pool.drain(f, func() {}); left != 20 {
			t.Errorf("got %d records left, want 20", left)
		}
		<-done
		if took := time.Since(start); took > service.DrainBudget/2+time.Second || took > kafka.RebalanceTimeout/2 {
			t.Errorf("the drain took %v", took)
		}
		if len(m.list()) != 0 {
			t.Errorf("marked %v, though nothing was written", m.list())
		}
	})
}

// TestNothingBehindABatchThatWasGivenUpIsMarked: a writer was told that it may take a payload, and takes it when
// the session has ended and a batch before it was not written.
func TestNothingBehindABatchThatWasGivenUpIsMarked(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		behind *batch
	}{{"points", filled(5, 1)}, {"bad and expired records alone", bad0(5)}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w, f, m := writing(quietSink((&script{answers: []verdict{{kind: accepted}}}).post))
			w.pool.add(f, filled(0, 5))
			first, _ := w.pool.take(time.Now())
			w.pool.giveUp()
			w.pool.finish(first, false)
			w.pool.add(f, tt.behind)
			second, _ := w.pool.take(time.Now())
			err := w.store(w.pool.ctx, second.whole())
			w.pool.finish(second, err == nil)
			if err == nil || len(m.list()) != 0 {
				t.Errorf("got %v and marks %v, want an error and none", err, m.list())
			}
			if left, settled := w.pool.left(f); left != 6 || !settled {
				t.Errorf("got %d records left, settled: %t, want 6", left, settled)
			}
		})
	}
}

// TestADrainDoesNotWaitForABackoff: InfluxDB is back, so what is held is tried at once.
func TestADrainDoesNotWaitForABackoff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		answers := slices.Repeat([]verdict{{kind: unavailable, reason: "away"}}, 10)
		influx := &script{answers: append(answers, verdict{kind: accepted})}
		w, f, m := writing(quietSink(influx.post))
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.run(func() {})
		}()
		w.pool.add(f, filled(0, 10))
		for influx.attempts() < 10 {
			<-time.After(10 * time.Millisecond)
		}
		synctest.Wait() // the writer waits for its next attempt, about five seconds
		start := time.Now()
		if left := w.pool.drain(f, func() {}); left != 0 || time.Since(start) > 0 {
			t.Errorf("%d records left after %v", left, time.Since(start))
		}
		if m.last() != 10 {
			t.Errorf("got marks %v, want 10", m.list())
		}
		w.pool.giveUp()
		<-done
	})
}

// TestMarksAreInOrder: whatever InfluxDB does, with several writers a claim's
// marks only rise, and never pass a record that is not stored.
func TestMarksAreInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		calls := 0
		stored := map[string]bool{}
		s := quietSink(func(_ context.Context, lines []byte) verdict {
			mu.Lock()
			calls++
			n := calls
			mu.Unlock()
			<-time.After(time.Duration(n%7) * 10 * time.Millisecond)
			if n%3 == 0 {
				return verdict{kind: unavailable, reason: "now and then"}
			}
			mu.Lock()
			defer mu.Unlock()
			for line := range bytes.Lines(lines) {
				stored[string(line)] = true
			}
			return verdict{kind: accepted}
		})
		p := newPool(0)
		var work sync.WaitGroup
		for range 4 {
			w := &writer{pool: p, sink: s, loop: s.health.Loop("write")}
			work.Go(func() { w.run(func() {}) })
		}
		claims := make([]*marks, 5)
		var reading sync.WaitGroup
		for i := range claims {
			claims[i] = &marks{}
			f := newFeed(claims[i], "x", 0)
			reading.Go(func() {
				for offset := int64(0); offset < 1000; offset += 10 {
					for !p.hasRoom(f) {
						<-f.moved
					}
					p.add(f, filled(offset, 10))
					<-time.After(time.Millisecond)
				}
				if left := p.drain(f, func() {}); left != 0 {
					t.Errorf("%d records were not written", left)
				}
			})
		}
		reading.Wait()
		p.giveUp()
		work.Wait()
		for _, m := range claims {
			if list := m.list(); !slices.IsSorted(list) || m.last() != 1000 {
				t.Errorf("got marks %v", list)
			}
		}
	})
}
