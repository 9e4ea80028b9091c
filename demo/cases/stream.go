package cases

import (
	"iter"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"fintrans/demo/harness"
)

// stream sends transactions at a steady pace, while the case does to the services what it likes.
type stream struct {
	stopping func()
	done     chan struct{}
	sent     []harness.Record // valid once done is closed
}

// startStream sends the records in their order, so many a second. There should be more of them than the
// case can take, so that it is under load to its end.
func startStream(t testing.TB, s *harness.System, records iter.Seq[harness.Record], perSecond int) *stream {
	stop := make(chan struct{})
	st := &stream{stopping: sync.OnceFunc(func() { close(stop) }), done: make(chan struct{})}
	t.Cleanup(func() { st.stop() })
	go func() {
		defer close(st.done)
		const beats = 50 // a second
		beat := time.NewTicker(time.Second / beats)
		defer beat.Stop()
		var chunk []harness.Record
		for r := range records {
			chunk = append(chunk, r)
			if len(chunk) < perSecond/beats {
				continue
			}
			select {
			case <-stop:
				return
			case <-beat.C:
			}
			s.Produce(chunk...)
			st.sent = append(st.sent, chunk...)
			chunk = chunk[:0]
		}
	}()
	return st
}

// stop ends the stream and returns what was sent.
func (st *stream) stop() []harness.Record {
	st.stopping()
	<-st.done
	return st.sent
}

// mixed are three days' transactions of two kinds of pairs, ten thousand an hour: six minutes of the load, which is longer
// than any case takes on a slow machine. Those with accounts from 1000 on are in London alone and in order there, so
// that each of their alerts is known to the dollar. The others are in all five cities, up to nine minutes late.
func mixed(seed uint64) iter.Seq[harness.Record] {
	const span, pause = 72 * time.Hour, time.Hour / 10_000
	return func(yield func(harness.Record) bool) {
		random := rand.New(rand.NewPCG(seed, 0))
		anywhere := flow{weights: []int{30, 25, 20, 15, 10}}
		for at, end := time.UnixMilli(time.Now().Add(-span).UnixMilli()), time.Now(); at.Before(end); at = at.Add(pause) {
			source := random.Uint32N(20)
			target := (source + 1 + random.Uint32N(19)) % 20
			amount := 1 + random.Uint32N(4000)
			record := harness.Transfer("London", at, source+1000, target+1000, amount)
			if random.IntN(2) == 0 {
				late := time.Duration(random.Int64N((9 * time.Minute).Milliseconds())) * time.Millisecond
				record = harness.Transfer(anywhere.city(random), at.Add(-late), source, target, amount)
			}
			if !yield(record) {
				return
			}
		}
	}
}
