package main

import (
	"testing"
	"time"
)

// What is held ends at the slowest topic that still has something to read.
func TestForgetWaitsForTheSlowestTopic(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		prepare func(*fixture)
		held    bool
	}{
		{"all have come as far", func(f *fixture) { f.all(minutes(200)) }, false},
		{"one is behind", func(f *fixture) {
			f.send("London", "1 2 0", minutes(200))
			f.send("NYC", "1 2 0", minutes(200))
		}, true},
		{"the others are at their ends", func(f *fixture) {
			f.othersEnd("London")
			f.send("London", "1 2 0", minutes(200))
			f.othersEnd("London")
			f.send("London", "1 2 0", minutes(200))
		}, false},
		{"the others were at their ends before", func(f *fixture) {
			// What they were sent at the same time as London is not read yet.
			f.othersEnd("London")
			f.send("London", "1 2 0", minutes(200))
			f.send("London", "1 2 0", minutes(200))
		}, true},
		{"the others are seen at their ends now and then", func(f *fixture) {
			f.othersEnd("London")
			f.send("London", "1 2 0", minutes(200))
			f.noneEnds()
			f.send("London", "1 2 0", minutes(200))
			f.othersEnd("London")
			f.send("London", "1 2 0", minutes(200))
		}, false},
		{"one of the others was at its end before", func(f *fixture) {
			f.othersEnd("London")
			f.send("London", "1 2 0", minutes(200))
			before := f.claims[2].atEnd
			f.othersEnd("London")
			f.claims[2].atEnd = before
			f.send("London", "1 2 0", minutes(200))
		}, true},
		{"one of the others moves on", func(f *fixture) {
			f.othersEnd("London")
			f.send("London", "1 2 0", minutes(200))
			f.othersEnd("London")
			f.claims[1].atEnd = time.Time{}
			f.send("NYC", "1 2 0", minutes(1))
		}, true},
		{"the slowest is the only one that moves", func(f *fixture) {
			f.all(minutes(60))
			f.othersEnd("London")
			f.send("London", "1 2 0", minutes(69))
			f.othersEnd("London")
			f.send("London", "1 2 0", minutes(69))
		}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil)
			f.all(minutes(0))
			f.send("SF", "516 482 6000", minutes(0))
			tt.prepare(f)
			// Late for its own log or not, it is judged by what is still held.
			f.send("SF", "516 482 6000", minutes(1))
			if got := f.alerts() == 1; got != tt.held {
				t.Errorf("alerted %v, want %v", got, tt.held)
			}
		})
	}
}

// Cities that never had a transaction let go of nothing that counts: neither at first nor later.
func TestForgetWithCitiesThatAreEmpty(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	for i := range int64(4) {
		f.othersEnd("SF")
		f.send("SF", "516 482 3000", minutes(20*i))
	}
	if f.alerts() != 0 {
		t.Errorf("got %q: the window is an hour", f.out)
	}
	f.othersEnd("SF")
	f.send("SF", "516 482 3000", minutes(61))
	if f.alerts() != 1 {
		t.Errorf("got %d alerts, want 1 for what came in the last hour", f.alerts())
	}
}

// A transaction that is just not late is judged against all that the oracle
// would: what is exactly a window older than it was there until just before, so
// that its episode is the one that has alerted already.
func TestForgetKeepsTheInstantBefore(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.send("SF", "516 482 6000", minutes(0))
	f.send("SF", "516 482 6000", minutes(1))
	f.all(minutes(70)) // with ten minutes of lateness, minute 60 may still come
	f.send("SF", "516 482 6000", minutes(60))
	if f.alerts() != 1 {
		t.Errorf("got %q, want one alert: at minute 60 the first leaves as the third comes", f.out)
	}
}

// A topic that was never read holds everything: how old its records are nobody knows.
func TestForgetWaitsForATopicThatWasNotRead(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.send("SF", "516 482 6000", minutes(0))
	f.send("London", "1 2 0", minutes(500))
	f.send("NYC", "516 482 6000", minutes(30))
	if f.alerts() != 1 {
		t.Errorf("got %d alerts, want 1", f.alerts())
	}
}
