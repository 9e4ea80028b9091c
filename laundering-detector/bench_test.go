package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"fintrans/internal/kafka"
	"fintrans/internal/service"
	"fintrans/internal/transaction"
)

// stream makes batches of transactions between random pairs, one each ms, all cities in turn, for ever.
type stream struct {
	*fixture
	window   time.Duration
	rng      *rand.Rand
	accounts uint32
	millis   int64
	topic    int
	batch    []kafka.Record
}

func newStream(t testing.TB, accounts uint32, window time.Duration) *stream {
	t.Helper()
	change := func(c *config) {
		c.AlertWindow, c.AlertLateness = service.Duration(window), service.Duration(window/8)
	}
	s := &stream{fixture: newFixture(t, change), window: window, rng: rand.New(rand.NewPCG(1, 2)), accounts: accounts, millis: base}
	for range maxBatch {
		s.batch = append(s.batch, kafka.Record{Value: make([]byte, 0, 64)})
	}
	return s
}

// fill makes the next batch without allocating.
func (s *stream) fill() {
	s.topic = (s.topic + 1) % len(s.claims)
	for i := range s.batch {
		record := &s.batch[i]
		s.millis++
		s.next++
		t := transaction.Transaction{Source: 1 + s.rng.Uint32N(s.accounts), Target: 1 + s.rng.Uint32N(s.accounts), Amount: 1}
		record.Offset, record.Millis, record.Value = s.next, s.millis, t.AppendValue(record.Value[:0])
	}
}

func (s *stream) judge() {
	if done, _, err := s.shard.judge(context.Background(), s.topic, s.batch, func() {}); err != nil || done != maxBatch {
		s.Fatalf("judge: %d records, %v", done, err)
	}
}

// warm fills the window, so that what leaves it makes room for what comes.
func (s *stream) warm() {
	for range 2 * s.window.Milliseconds() / maxBatch {
		s.fill()
		s.judge()
	}
}

func BenchmarkJudge(b *testing.B) {
	for _, of := range []struct {
		accounts uint32
		window   time.Duration
	}{{100, time.Minute}, {1000, time.Hour}} { // six and three to a pair are held
		b.Run(fmt.Sprintf("pairs=%d", of.accounts*of.accounts), func(b *testing.B) {
			s := newStream(b, of.accounts, of.window)
			s.warm()
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				if n%maxBatch == 0 { // one iteration is one transaction
					s.fill()
					s.judge()
				}
			}
		})
	}
}

// A batch has a few allocations of its own at most: its records have none.
func TestJudgingDoesNotAllocateForEachRecord(t *testing.T) { // alone: AllocsPerRun counts the whole process
	s := newStream(t, 100, time.Minute)
	s.warm()
	const few = maxBatch / 16
	if got := testing.AllocsPerRun(200, func() {
		s.fill()
		s.judge()
	}); got > few {
		t.Errorf("got %v allocations for a batch of %d records, want at most %d", got, maxBatch, few)
	}
}

func TestAppendLineDoesNotAllocate(t *testing.T) {
	line, pair := make([]byte, 0, 128), transaction.PairOf(516, 482)
	if got := testing.AllocsPerRun(100, func() { line = appendLine(line[:0], true, pair, 10644) }); got != 0 {
		t.Errorf("got %v allocations a line, want none", got)
	}
}

func BenchmarkAppendLine(b *testing.B) {
	line, pair := make([]byte, 0, 128), transaction.PairOf(516, 482)
	b.ReportAllocs()
	for b.Loop() {
		line = appendLine(line[:0], true, pair, 10644)
	}
	b.SetBytes(int64(len(line)))
}
