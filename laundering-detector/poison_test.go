package main

import (
	"math"
	"slices"
	"testing"
	"time"

	"fintrans/internal/kafka"
	"fintrans/internal/transaction"
)

// tokyo is the topic that is poisoned.
var tokyo = slices.Index(transaction.Cities(), "Tokyo")

// poisons are what a city may send instead of transactions.
func poisons() []struct {
	name string
	send func(f *fixture, at int64)
} {
	return []struct {
		name string
		send func(f *fixture, at int64)
	}{
		{"an hour ahead of the clock", func(f *fixture, _ int64) {
			f.send("Tokyo", "1 2 3", time.Now().Add(time.Hour).UnixMilli())
		}},
		{"without a timestamp", func(f *fixture, _ int64) { f.send("Tokyo", "1 2 3", -1) }},
		{"in a format that is not ours", func(f *fixture, at int64) { f.send("Tokyo", "1,2,3", at) }},
	}
}

// goOn has the cities but Tokyo send a transaction a minute, unless they are paused, and Tokyo bad records meanwhile.
// Tokyo's claim is seen at its end now and then, or is not.
func (f *fixture) goOn(from, to int64, poison func(*fixture, int64), ends bool) {
	f.Helper()
	for minute := from; minute <= to; minute++ {
		f.claims[tokyo].atEnd = time.Time{}
		if ends {
			f.claims[tokyo].atEnd = time.Now()
		}
		poison(f, minutes(minute))
		for _, city := range []string{"London", "NYC", "SF", "Moscow"} {
			if !f.pauses[city] {
				f.send(city, "1 2 0", minutes(minute))
			}
		}
	}
}

// behind is how many minutes the slowest city but Tokyo is behind the given one.
func (f *fixture) behind(minute int64) int64 {
	slowest := int64(math.MaxInt64)
	for i, city := range transaction.Cities() {
		if city != "Tokyo" {
			slowest = min(slowest, f.shard.topics[i].newest)
		}
	}
	return (minutes(minute) - slowest) / time.Minute.Milliseconds()
}

// eachPoison tests with each kind of bad records, sent by a city that had good ones before and by one that had none.
func eachPoison(t *testing.T, test func(f *fixture, poison func(*fixture, int64))) {
	for _, poison := range poisons() {
		for _, before := range []string{"good ones before", "never good"} {
			t.Run(poison.name+", "+before, func(t *testing.T) {
				t.Parallel()
				f := newFixture(t, nil)
				f.shard.low = minutes(-10) // as the rebuild leaves it
				f.all(minutes(0))
				if before == "never good" {
					f.shard.topics[tokyo].read, f.shard.topics[tokyo].newest = false, 0
				}
				test(f, poison.send)
			})
		}
	}
}

// What ends it that a city is at its end is a good record, among however many bad ones.
func TestGoodRecordsEndAnEnd(t *testing.T) {
	t.Parallel()
	bad := kafka.Record{Value: []byte("1,2,3"), Millis: minutes(1)}
	good := kafka.Record{Value: []byte("1 2 3"), Millis: minutes(1)}
	tests := []struct {
		name  string
		batch []kafka.Record
		want  bool // it is still there
	}{
		{"bad", []kafka.Record{bad, bad}, true},
		{"good", []kafka.Record{good}, false},
		{"mixed", []kafka.Record{bad, good, bad}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil)
			for range 2 { // the second finds what the first has counted
				f.claims[tokyo].atEnd = time.Now()
				if _, _, err := f.shard.judge(t.Context(), tokyo, tt.batch, func() {}); err != nil {
					t.Fatal(err)
				}
				if _, got := f.claims[tokyo].AtEnd(time.Now()); got != tt.want {
					t.Errorf("at its end: %v, want %v", got, tt.want)
				}
			}
		})
	}
}

// A city whose records are all bad for hours has nothing that the others would have to wait for: they are not paused,
// and what is older than their windows is not held.
func TestACityOfBadRecordsHoldsNobody(t *testing.T) {
	t.Parallel()
	eachPoison(t, func(f *fixture, poison func(*fixture, int64)) {
		f.goOn(1, 300, poison, true)
		if got := f.behind(300); got != 0 {
			f.Errorf("%d minutes behind, paused %q", got, f.pauses)
		}
		// The window and the lateness are 70 minutes; an eighth more may be there for a while.
		if got := f.shard.window.Size().Records; got > 4*80 {
			f.Errorf("%d transactions are held, want those of 70 minutes of four cities", got)
		}
	})
}

// A burst of bad records that takes a while to read is nothing to wait for either: not for hours at any rate.
func TestABurstOfBadRecordsHoldsNobodyAtOnce(t *testing.T) {
	t.Parallel()
	eachPoison(t, func(f *fixture, poison func(*fixture, int64)) {
		f.goOn(1, 300, poison, true)
		f.goOn(301, 310, poison, false)
		if got := f.behind(310); got != 0 {
			f.Errorf("%d minutes behind, paused %q", got, f.pauses)
		}
	})
}

// Behind bad records there may be good ones of any age: while there is more to read, the others hold all that those
// need, and do not run ahead.
func TestABacklogBehindBadRecordsIsWaitedFor(t *testing.T) {
	t.Parallel()
	eachPoison(t, func(f *fixture, poison func(*fixture, int64)) {
		f.send("SF", "516 482 6000", minutes(0))
		f.goOn(1, 300, poison, false)
		if got := f.behind(300); got < 300-19 {
			f.Errorf("only %d minutes behind: they went on", got)
		}
		f.send("Tokyo", "516 482 6000", minutes(1))
		if f.alerts() != 1 {
			f.Errorf("got %q, want one alert: nothing of that hour may be forgotten", f.out)
		}
		for minute := int64(2); minute <= 300; minute++ { // once it has caught up, so do they
			f.send("Tokyo", "1 2 0", minutes(minute))
			f.goOn(minute, minute, func(*fixture, int64) {}, false)
		}
		if got := f.behind(300); got != 0 {
			f.Errorf("%d minutes behind at the end, paused %q", got, f.pauses)
		}
	})
}
