package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fintrans/internal/consume"
	"fintrans/internal/kafka"
	"fintrans/internal/service"
	"fintrans/internal/transaction"
)

// fakeClaim says of itself what a test sets.
type fakeClaim struct {
	atEnd  time.Time // when it was seen there; zero for one that is not
	silent time.Duration
}

func (c *fakeClaim) AtEnd(time.Time) (time.Time, bool) { return c.atEnd, !c.atEnd.IsZero() }
func (c *fakeClaim) Silent(time.Time) time.Duration    { return c.silent }
func (c *fakeClaim) Working()                          {}
func (c *fakeClaim) Good()                             { c.atEnd = time.Time{} }

// fakePauser remembers which topics are paused.
type fakePauser map[string]bool

func (f fakePauser) Pause(topic string, _ int32)  { f[topic] = true }
func (f fakePauser) Resume(topic string, _ int32) { delete(f, topic) }

func (f fakePauser) String() string {
	var names []string
	for name := range f {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

type fixture struct {
	testing.TB
	shard  *shard
	out    *bytes.Buffer
	pauses fakePauser
	claims []*fakeClaim
	full   bool // memory is
	next   int64
}

// base is an instant in the past, in ms since 1970, from which the tests count minutes.
const base = int64(1_700_000_000_000)

func minutes(n int64) int64 { return base + n*time.Minute.Milliseconds() }

func newFixture(t testing.TB, change func(*config)) *fixture {
	t.Helper()
	cfg := config{
		AlertThreshold: 10_000,
		AlertWindow:    service.Duration(time.Hour),
		AlertLateness:  service.Duration(10 * time.Minute),
		AlertRepeat:    repeatEpisode,
		ProdOutput:     true,
		MaxAhead:       service.Duration(time.Minute),
	}
	if change != nil {
		change(&cfg)
	}
	f := &fixture{TB: t, out: &bytes.Buffer{}, pauses: fakePauser{}}
	rt := testRuntime(f.out)
	d := &detector{
		cfg: cfg, rt: rt, group: f.pauses, topics: transaction.Cities(), printer: newPrinter(rt),
		bad: consume.NewBadRecords(prefix, transaction.Cities(), transaction.Reasons(), rt), full: func() bool { return f.full },
	}
	d.metrics = newMetrics(d)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func(p *printer) {
		defer close(ended)
		p.run(ctx, func(err error) { t.Error(err) })
	}(d.printer)
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	f.shard = newShard(d, &session{partitions: 1}, 0)
	for i := range d.topics {
		f.claims = append(f.claims, &fakeClaim{})
		f.shard.topics[i].claim = f.claims[i]
	}
	return f
}

// send has one record judged.
func (f *fixture) send(city string, value string, millis int64) {
	f.Helper()
	f.next++
	records := []kafka.Record{{Offset: f.next, Value: []byte(value), Millis: millis}}
	topic := slices.Index(transaction.Cities(), city)
	done, _, err := f.shard.judge(context.Background(), topic, records, func() {})
	if err != nil || done != 1 {
		f.Fatalf("judge: %d records, %v", done, err)
	}
}

// all sends a small transaction of each city, so that every topic has been read up to that time.
func (f *fixture) all(millis int64) {
	f.Helper()
	for _, city := range transaction.Cities() {
		f.send(city, "1 2 0", millis)
	}
}

// othersEnd lets the topics of all other cities be seen at their ends now.
func (f *fixture) othersEnd(city string) {
	for i, c := range f.claims {
		if transaction.Cities()[i] != city {
			c.atEnd = time.Now()
		}
	}
}

// noneEnds lets no topic be at its end, as far as is known.
func (f *fixture) noneEnds() {
	for _, c := range f.claims {
		c.atEnd = time.Time{}
	}
}

func (f *fixture) alerts() int { return strings.Count(f.out.String(), "\n") }

func TestJudgeAddsUpAcrossCities(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	for i, city := range transaction.Cities() {
		f.send(city, "516 482 2161", minutes(int64(i)))
	}
	if got, want := f.out.String(), "POTENTIAL MONEY LAUNDERING: 516 -> 482 totalling 10805 now\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestABadRecordIsNoMoney(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.send("London", "516 482 9000", minutes(0))
	f.send("London", "516 482 -9000", minutes(1))
	f.send("London", "516 482 9000", time.Now().Add(time.Hour).UnixMilli())
	f.send("London", "516 482 9000", -1)
	if f.alerts() != 0 {
		t.Errorf("got %q", f.out)
	}
}

// The batch stops at a transaction whose line could not be begun: it and what
// follows are not marked, and so read again.
func TestJudgeStopsWhereTheLineCouldNotBeWritten(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	ctx, cancel := context.WithCancel(context.Background())
	f.shard.detector.printer = newPrinter(testRuntime(f.out)) // of which nobody takes a job
	var batch []kafka.Record
	for i, value := range []string{"1 2 3", "516 482 10000", "516 482 1", "1 2 3"} {
		batch = append(batch, kafka.Record{Offset: int64(i), Value: []byte(value), Millis: minutes(int64(i))})
	}
	cancel()
	done, lines, err := f.shard.judge(ctx, 2, batch, func() {})
	if done != 2 || lines != 0 || err == nil {
		t.Errorf("got %d records, %d lines, %v; want 2, 0 and the context's error", done, lines, err)
	}
}

// Nor is anything of the other topics judged behind it: silent because of it, it could be committed although no line
// is out, and the next session would find the pair above the threshold without either.
func TestNothingIsJudgedBehindALineThatWasNotWritten(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.send("London", "516 482 6000", minutes(0))
	written := f.shard.detector.printer
	f.shard.detector.printer = newPrinter(testRuntime(f.out)) // of which nobody takes a job
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	judge := func(topic int, millis int64) (int, error) {
		batch := []kafka.Record{{Offset: 7, Value: []byte("516 482 5000"), Millis: millis}}
		done, _, err := f.shard.judge(ctx, topic, batch, func() {})
		return done, err
	}
	if _, err := judge(2, minutes(1)); err == nil {
		t.Fatal("the line was written")
	}
	f.shard.detector.printer = written
	if done, err := judge(4, minutes(2)); done != 0 || !errors.Is(err, context.Canceled) || f.shard.outbox.markable(4) >= 0 {
		t.Errorf("judged %d records, %v, and %d may be committed", done, err, f.shard.outbox.markable(4))
	}
}

func TestDiffer(t *testing.T) {
	t.Parallel()
	d := &detector{topics: transaction.Cities()}
	counts := map[string]int32{"London": 6, "NYC": 6, "SF": 6, "Moscow": 6, "Tokyo": 6}
	if got := d.differ(counts); got != "" {
		t.Errorf("equal counts: got %q", got)
	}
	counts["SF"] = 12
	got := d.differ(counts)
	for topic, n := range counts {
		if !strings.Contains(got, fmt.Sprintf("%s %d", topic, n)) {
			t.Errorf("%q does not tell that %s has %d partitions", got, topic, n)
		}
	}
}

func TestDivideNeedsAPartitionNumberWhole(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	d := f.shard.detector
	claims := map[string][]int32{}
	for _, topic := range d.topics {
		claims[topic] = []int32{0, 3}
	}
	next := &session{shards: map[int32]*shard{}}
	if got := d.divide(next, claims); got != "" || len(next.shards) != 2 {
		t.Errorf("got %q and %d shards, want 2", got, len(next.shards))
	}
	claims["Tokyo"] = []int32{0}
	next = &session{shards: map[int32]*shard{}}
	if got := d.divide(next, claims); !strings.Contains(got, "partition 3 of Tokyo") || len(next.shards) != 0 {
		t.Errorf("got %q and %d shards, want none", got, len(next.shards))
	}
}

// What a window without end holds grows with the pairs: the metrics have to show it, and what was read
// back has to be there before the first record comes.
func TestTheSizeOfEveryWindowIsShown(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*config)
		fill   func(*fixture)
	}{
		{"an hour", nil, (*fixture).one},
		{"without end", func(cfg *config) { cfg.AlertWindow = 0 }, (*fixture).one},
		{"read back", nil, func(f *fixture) { f.shard.finish(time.Now(), 1) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, tt.change)
			f.shard.window.Load(7, 1, minutes(0), 0)
			tt.fill(f)
			if got := f.shard.detector.metrics.sizes[0]; got != f.shard.window.Size() || got.Pairs == 0 {
				t.Errorf("got %+v, want %+v", got, f.shard.window.Size())
			}
		})
	}
}

func (f *fixture) one() { f.send("SF", "516 482 6000", minutes(1)) }

// The memory may be full for less time than a paused claim takes to notice: what was not resumed for its sake
// has to be resumed all the same.
func TestATopicThatCaughtUpWhileMemoryWasFullGoesOn(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.all(minutes(0))
	f.send("NYC", "1 2 0", minutes(60))
	f.full = true
	f.all(minutes(59))
	if got := f.pauses.String(); got != "London Moscow NYC SF" {
		t.Fatalf("paused %q, want all that were ahead of the slowest: memory is full", got)
	}
	f.full = false
	r := &reading{
		detector: f.shard.detector, shard: f.shard, topic: slices.Index(transaction.Cities(), "NYC"),
		claim: &consume.Claim{Claimed: namedClaim{topic: "NYC"}},
	}
	r.watchMemory()
	if got := f.pauses.String(); got != "London Moscow SF" {
		t.Errorf("paused %q, want NYC to go on", got)
	}
}

type namedClaim struct {
	consume.Claimed
	topic string
}

func (c namedClaim) Topic() string    { return c.topic }
func (c namedClaim) Partition() int32 { return 0 }
