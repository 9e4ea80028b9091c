package main

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// taken is what happened at a writer.
type taken struct {
	after time.Duration
	load  *payload
}

// takeAll has one writer take payloads until the pool ends. It acknowledges each.
func takeAll(p *pool) func() []taken {
	start, done := time.Now(), make(chan []taken)
	go func() {
		var list []taken
		for load := p.next(func() {}); load != nil; load = p.next(func() {}) {
			list = append(list, taken{time.Since(start), load})
			p.finish(load, true)
		}
		done <- list
	}()
	return func() []taken {
		p.giveUp()
		return <-done
	}
}

func TestWhenABatchGoes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		wait    time.Duration
		records []int64 // of each claim, all at once
		after   time.Duration
	}{
		{"one record waits as long as any may", time.Second, []int64{1}, time.Second},
		{"a few records of several claims wait together", time.Second, []int64{10, 20, 30}, time.Second},
		{"some records wait a moment", time.Second, []int64{60, 60}, someWait},
		{"the setting is a limit for them, too", 10 * time.Millisecond, []int64{200}, 10 * time.Millisecond},
		{"enough go at once", time.Second, []int64{500, 500}, 0},
		{"no wait at all", 0, []int64{1}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPool(tt.wait)
				ended := takeAll(p)
				synctest.Wait() // the writer waits for the first record
				total := int64(0)
				for _, n := range tt.records {
					p.add(newFeed(&marks{}, "x", 0), filled(0, n))
					total += n
				}
				<-time.After(3 * time.Second)
				got := ended()
				if len(got) != 1 || got[0].after != tt.after || int64(got[0].load.points) != total {
					t.Fatalf("got %+v, want one payload of %d points after %v", got, total, tt.after)
				}
			})
		})
	}
}

func TestWhatIsLeftOfABurstGoesSoon(t *testing.T) {
	t.Parallel()
	const write = 200 * time.Millisecond
	tests := []struct {
		name  string
		burst int64         // records, while the writer waits
		left  time.Duration // since then, when one more comes
		other bool          // of another claim
		after time.Duration // when that goes
	}{
		{"it has come with the burst", enough, 0, false, write},
		{"it has come while the burst was written", enough, write - someWait, false, write},
		{"of another claim, it has come while the burst was written", enough, write - someWait, true, write},
		{"it has come when the burst was written", enough, write + someWait/2, false, write + 3*someWait/2},
		{"the broker has held it for as long as it may", enough, write + maxWait + someWait/2, false, write + maxWait + 3*someWait/2},
		{"it has come later", enough, write + maxWait + 2*someWait, false, write + maxWait + 2*someWait + time.Second},
		{"there was no burst", some, someWait, false, someWait + time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPool(time.Second)
				start := time.Now()
				var gone atomic.Int64 // nanoseconds from the start
				var writers sync.WaitGroup
				for range 2 { // one of them waits for what comes while the other writes
					writers.Go(func() {
						for load := p.next(func() {}); load != nil; load = p.next(func() {}) {
							gone.Store(int64(time.Since(start)))
							if load.records() >= some {
								time.Sleep(write)
							}
							p.finish(load, true)
						}
					})
				}
				synctest.Wait()
				f := newFeed(&marks{}, "x", 0)
				p.add(f, filled(0, tt.burst))
				time.Sleep(tt.left)
				if tt.other {
					f = newFeed(&marks{}, "y", 1)
				}
				synctest.Wait()
				p.add(f, filled(tt.burst, 1))
				time.Sleep(5 * time.Second)
				p.giveUp()
				writers.Wait()
				if got := time.Duration(gone.Load()); got != tt.after {
					t.Errorf("the last record goes after %v, want %v", got, tt.after)
				}
			})
		})
	}
}

// TestWhatComesBackMayBeTheOldest: what came while its claim's batch was written may have waited for longer than
// all that the next writer knows of.
func TestWhatComesBackMayBeTheOldest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const wait = time.Second
		p := newPool(wait)
		a, b := newFeed(&marks{}, "a", 0), newFeed(&marks{}, "b", 1)
		p.add(b, filled(0, 1))
		first, _ := p.take(time.Now().Add(wait))
		start := time.Now()
		p.add(b, filled(1, 1)) // waits for the batch before it
		gone := make(chan time.Duration)
		go func() {
			p.next(func() {})
			gone <- time.Since(start)
		}()
		time.Sleep(wait - wait/100)
		p.add(a, filled(0, 1))
		time.Sleep(wait / 100)
		p.finish(first, true)
		if got := <-gone; got != wait {
			t.Errorf("the record behind the batch goes after %v, want %v", got, wait)
		}
		p.giveUp()
	})
}

func TestRecordsBehindABatchInFlightWaitForIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, m := newPool(time.Second), &marks{}
		f := newFeed(m, "London/0", 0)
		const half, total = maxBatchPoints / 2, enough + maxBatchPoints
		p.add(f, filled(0, enough))
		first := p.next(func() {})
		if !p.add(f, filled(enough, half)) {
			t.Error("there is no second buffer")
		}
		if load, _ := p.take(time.Now().Add(time.Hour)); load != nil {
			t.Fatal("a claim has two batches in flight")
		}
		if p.add(f, filled(enough+half, half)) {
			t.Error("a full buffer takes more")
		}
		if got := p.buffered(); got != total {
			t.Errorf("got %d buffered, want %d", got, total)
		}
		p.finish(first, true)
		second := p.next(func() {})
		if !p.hasRoom(f) {
			t.Error("no room after the full buffer was taken")
		}
		p.finish(second, true)
		if got, want := m.list(), []int64{enough, total}; !slices.Equal(got, want) {
			t.Errorf("got marks %v, want %v", got, want)
		}
		if got := p.buffered(); got != 0 {
			t.Errorf("got %d buffered, want none", got)
		}
		p.giveUp()
	})
}

func TestAPayloadIsBounded(t *testing.T) {
	t.Parallel()
	p := newPool(time.Second)
	defer p.giveUp()
	for range 30 {
		p.add(newFeed(&marks{}, "x", 0), filled(0, maxBatchPoints))
	}
	for left := 30 * maxBatchPoints; left > 0; left -= maxPostPoints {
		load, _ := p.take(time.Now())
		if load.points != maxPostPoints {
			t.Fatalf("got %d points, want %d", load.points, maxPostPoints)
		}
	}
}

func TestBadRecordsAloneAreAcknowledgedWithoutPoints(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, m := newPool(time.Second), &marks{}
		ended := takeAll(p)
		p.add(newFeed(m, "x", 0), bad0(41))
		<-time.After(2 * time.Second)
		if got := ended(); len(got) != 1 || got[0].load.points != 0 {
			t.Errorf("got %+v", got)
		}
		if m.last() != 42 {
			t.Errorf("got marks %v, want 42", m.list())
		}
	})
}

func TestDrainWritesWhatIsLeftAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, m := newPool(30*time.Second), &marks{}
		ended := takeAll(p)
		f := newFeed(m, "x", 0)
		p.add(f, filled(0, 3))
		start := time.Now()
		if left := p.drain(f, func() {}); left != 0 || time.Since(start) != 0 {
			t.Errorf("%d records left after %v", left, time.Since(start))
		}
		if m.last() != 3 {
			t.Errorf("got marks %v, want 3", m.list())
		}
		ended()
	})
}

func TestDrainGivesUpInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, m := newPool(time.Second), &marks{}
		f := newFeed(m, "x", 0)
		p.add(f, filled(0, 5))
		load, _ := p.take(time.Now().Add(time.Hour))
		p.add(f, filled(5, 7))
		stopped := context.AfterFunc(p.ctx, func() { p.finish(load, false) })
		defer stopped()
		start := time.Now()
		if left := p.drain(f, func() {}); left != 12 {
			t.Errorf("got %d records left, want 12", left)
		}
		if took := time.Since(start); took != drainTime {
			t.Errorf("gave up after %v, want %v", took, drainTime)
		}
		if len(m.list()) != 0 {
			t.Errorf("marked what was not written: %v", m.list())
		}
		if p.next(func() {}) != nil {
			t.Error("a writer goes on after a payload was given up")
		}
	})
}
