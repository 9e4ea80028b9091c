package cases

import (
	"fmt"
	"testing"
	"time"
)

// A consumer reads the probes of all runs before, and prints them while the latencies of the present run are taken.
func TestProbesOfRunsAreToldApart(t *testing.T) {
	t.Parallel()
	const sent = 10
	p := &probes{}
	printed := func(account uint32) {
		p.printed(0, fmt.Sprintf("POTENTIAL MONEY LAUNDERING: %d -> 1 totalling 10001 now", account))
	}
	seen := map[uint32]bool{}
	var before []uint32
	for run := range 3 {
		p.begin()
		var accounts []uint32
		for _, account := range before { // before they are sent, where the runs' probes had the same accounts
			printed(account)
		}
		for n := range int64(sent * aProbeEach) {
			tx, acked := p.next(n)
			if tx.Amount != probeAmount {
				continue
			}
			if seen[tx.Source] {
				t.Fatalf("run %d: account %d was a probe's before", run, tx.Source)
			}
			seen[tx.Source] = true
			acked()
			accounts = append(accounts, tx.Source)
		}
		if len(accounts) != sent || p.count() != sent {
			t.Fatalf("run %d: %d probes, of which %d are counted, want %d", run, len(accounts), p.count(), sent)
		}
		for _, account := range before {
			printed(account)
		}
		if w, missing := p.since(0, 0); missing != sent || len(w.sent) != 0 {
			t.Fatalf("run %d: %d of %d alerts are missing, want all: none but earlier runs' were printed", run, missing, sent)
		}
		for _, account := range accounts {
			printed(account)
		}
		w, missing := p.since(0, 0)
		if missing != 0 || len(w.sent) != sent || len(w.acked) != sent {
			t.Fatalf("run %d: %d latencies, %d missing, want %d", run, len(w.sent), missing, sent)
		}
		for i := range sent {
			if w.sent[i] < w.acked[i] || w.acked[i] < 0 {
				t.Errorf("run %d: %v from the send, %v from the acknowledgement", run, w.sent[i], w.acked[i])
			}
		}
		before = append(before, accounts...)
	}
}

func TestLatenciesOfTheWarmUpAreNotCounted(t *testing.T) {
	t.Parallel()
	p := &probes{}
	p.begin()
	first, _ := p.next(0)
	warm := p.count()
	second, _ := p.next(aProbeEach)
	if _, missing := p.since(warm, 0); missing != 1 {
		t.Errorf("%d alerts are missing, want that of the second", missing)
	}
	p.printed(0, fmt.Sprint(second.Source, " 1 10001"))
	w, missing := p.since(warm, 0)
	if missing != 0 || len(w.sent) != 1 {
		t.Errorf("%d latencies, %d missing, want that of the second alone, although the first %d was not printed", len(w.sent), missing, first.Source)
	}
}

// What is printed once more, as after a commit that failed, was known before.
func TestTheFirstLineOfAnAlertCounts(t *testing.T) {
	t.Parallel()
	p := &probes{}
	p.begin()
	tx, _ := p.next(0)
	line := fmt.Sprint(tx.Source, " 1 10001")
	p.printed(0, line)
	w, _ := p.since(0, 0)
	p.times[0].sent = p.times[0].sent.Add(-time.Hour) // the line printed again comes no sooner than that
	p.times[0].line[0] = p.times[0].line[0].Add(-time.Hour)
	p.printed(0, line)
	if again, _ := p.since(0, 0); again.sent[0] != w.sent[0] {
		t.Errorf("%v after the second line, want %v as after the first", again.sent[0], w.sent[0])
	}
}

func TestEachConsumerHasItsOwnLatencies(t *testing.T) {
	t.Parallel()
	p := &probes{}
	p.begin()
	tx, _ := p.next(0)
	p.printed(1, fmt.Sprint(tx.Source, " 1 10001"))
	for consumer, want := range []int{0, 1} {
		if w, missing := p.since(0, consumer); len(w.sent) != want || missing != 1-want {
			t.Errorf("consumer %d: %d latencies, %d missing, want %d", consumer, len(w.sent), missing, want)
		}
	}
}
