package kafka

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/IBM/sarama"
)

func TestReadRanges(t *testing.T) {
	t.Parallel()
	withOpen := logOf(fullBatch(0, 9), inTransaction(fullBatch(10, 14), 7, false))
	withOpen.stable = 10
	aborted := logOf(
		inTransaction(fullBatch(0, 4), 7, true), fullBatch(5, 9), inTransaction(fullBatch(10, 11), 7, true),
		marker(12, 7, abortMarker), inTransaction(fullBatch(13, 14), 7, false), marker(15, 7, commitMarker),
	)
	aborted.aborted = []*sarama.AbortedTransaction{{ProducerID: 7, FirstOffset: 0}}
	two := logOf(
		inTransaction(fullBatch(0, 1), 7, true), inTransaction(fullBatch(2, 3), 8, true), marker(4, 8, abortMarker),
		inTransaction(fullBatch(5, 5), 8, false), marker(6, 7, abortMarker), marker(7, 8, commitMarker),
	)
	two.aborted = []*sarama.AbortedTransaction{{ProducerID: 8, FirstOffset: 2}, {ProducerID: 7, FirstOffset: 0}}
	large := logOf(fullBatch(0, 1), fullBatch(2, 3))
	large.parts[1].bytes = 5 << 20
	cut := logOf(fullBatch(0, 9))

	for _, test := range []struct {
		name     string
		log      *fakeLog
		from, to int64
		next     int64
	}{
		{"whole batches", logOf(fullBatch(0, 4), fullBatch(5, 9)), 0, 10, 10},
		{"from the middle to the middle of a batch", logOf(fullBatch(0, 4), fullBatch(5, 9)), 3, 7, 7},
		{"nothing to read", logOf(fullBatch(0, 4)), 5, 5, 5},
		{"empty partition", logOf(), 0, 10, 0},
		{"ends before to", logOf(fullBatch(0, 4)), 0, 100, 5},
		{"last offset is a marker", logOf(inTransaction(fullBatch(0, 4), 7, false), marker(5, 7, commitMarker)), 0, 6, 6},
		{"only a marker", logOf(marker(0, 7, commitMarker)), 0, 1, 1},
		{"an open transaction holds the end", withOpen, 0, 15, 10},
		{"an aborted transaction", aborted, 0, 16, 16},
		{"from within an aborted transaction", aborted, 3, 12, 12},
		{"two aborted transactions in the wrong order", two, 0, 8, 8},
		{"compaction has left a gap within a batch", logOf(dataBatch(0, 9, 2, 4), fullBatch(10, 11)), 0, 12, 12},
		{"compaction has left a gap between batches", logOf(fullBatch(0, 1), fullBatch(7, 8)), 0, 9, 9},
		{"compaction has removed the last offset", logOf(dataBatch(0, 9, 2, 4)), 0, 10, 10},
		{"compaction has emptied the last batch", logOf(fullBatch(0, 1), dataBatch(2, 20)), 0, 21, 21},
		{"compaction has emptied several batches", logOf(dataBatch(0, 3), dataBatch(4, 5), dataBatch(6, 8), fullBatch(9, 9)), 0, 10, 10},
		{"a batch larger than what is asked for", large, 0, 4, 4},
		{"the log was cut", cut, 20, 30, 20},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			log := *test.log // each case keeps its own record of what was asked
			got, next := readAll(t, &Reader{source: &log}, test.from, test.to)
			checkRecords(t, got, log.want(test.from, test.to))
			if next != test.next {
				t.Errorf("got next %d, want %d", next, test.next)
			}
		})
	}
}

// TestReadRandomLogs compares with the plain meaning on logs of every shape.
func TestReadRandomLogs(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		log := randomLog(rng)
		from := rng.Int64N(log.end + 1)
		to := from + rng.Int64N(log.end-from+3)
		got, next := readAll(t, &Reader{source: log}, from, to)
		checkRecords(t, got, log.want(from, to))
		wantNext := min(to, max(log.stable, from))
		if next != wantNext {
			t.Errorf("seed %d: got next %d, want %d", seed, next, wantNext)
		}
		if t.Failed() {
			t.Fatalf("seed %d, [%d, %d)", seed, from, to)
		}
	}
}

// TestEmptiedBatches asks a broker over the wire: what is read in a field of sarama's own has to be there.
func TestEmptiedBatchesArePassedOver(t *testing.T) {
	t.Parallel()
	answer := &sarama.FetchResponse{Version: 12, Blocks: map[string]map[int32]*sarama.FetchResponseBlock{"London": {0: {
		HighWaterMarkOffset: 50, LastStableOffset: 50, RecordsSet: []*sarama.Records{{RecordBatch: &sarama.RecordBatch{
			Version: 2, FirstOffset: 10, LastOffsetDelta: 7, Records: []*sarama.Record{},
		}}},
	}}}}
	broker := newBroker(t, "127.0.0.1:0", nil, handlers{"FetchRequest": sarama.NewMockWrapper(answer)})
	client := connectTo(t, broker)
	if err := client.Config().Validate(); err != nil {
		t.Fatal(err)
	}
	response, err := brokers{client}.fetchFrom(1, []ask{{topic: "London", offset: 12}}, time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	c := collector{next: 12, to: 50}
	if err := c.passEmptied(response.GetBlock("London", 0)); err != nil || c.next != 18 {
		t.Errorf("next is %d, %v; want 18", c.next, err)
	}
}

// A broker that fetches from a remote store answers with nothing when that takes too long.
func TestReadPassesOverNothingWithoutProof(t *testing.T) {
	t.Parallel()
	log := &lateLog{fakeLog: logOf(fullBatch(0, 9)), left: 3}
	got, next := readAll(t, &Reader{source: log}, 0, 10)
	checkRecords(t, got, log.want(0, 10))
	if next != 10 {
		t.Errorf("got next %d, want 10", next)
	}
}

// lateLog has nothing yet the first times that it is asked.
type lateLog struct {
	*fakeLog
	left int
}

func (l *lateLog) fetch(ctx context.Context, topic string, partition int32, offset int64, bytes int32, tick func()) (*sarama.FetchResponseBlock, error) {
	block, err := l.fakeLog.fetch(ctx, topic, partition, offset, bytes, tick)
	if l.left > 0 && err == nil {
		l.left--
		block.RecordsSet = nil
	}
	return block, err
}

func TestReadJumpsOverWhatRetentionRemoved(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name          string
		from, to      int64
		missingTo, at int64
	}{
		{"start of the range", 2, 12, 10, 12},
		{"all of the range", 2, 8, 8, 8},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			log := logOf(fullBatch(0, 9), fullBatch(10, 14))
			log.start = 10
			r := &Reader{source: log}
			var missing []int64
			r.Missing = func(topic string, partition int32, from, to int64) {
				missing = append(missing, from, to)
				if topic != "London" || partition != 3 {
					t.Errorf("got missing records of %s/%d", topic, partition)
				}
			}
			got, next := readAll(t, r, test.from, test.to)
			checkRecords(t, got, log.want(test.from, test.to))
			if want := []int64{test.from, test.missingTo}; !slices.Equal(missing, want) {
				t.Errorf("got missing %v, want %v", missing, want)
			}
			if next != test.at {
				t.Errorf("got next %d, want %d", next, test.at)
			}
		})
	}
}

func TestReadStopsWhenVisitSaysSo(t *testing.T) {
	t.Parallel()
	log := logOf(fullBatch(0, 4), fullBatch(5, 9), fullBatch(10, 14))
	visits := 0
	next, err := (&Reader{source: log}).Read(t.Context(), "London", 3, 2, 15, func([]Record) bool {
		visits++
		return false
	})
	if err != nil || next != 10 || visits != 1 {
		t.Errorf("got next %d after %d visits, error %v; want 10 after 1", next, visits, err)
	}
}

func TestReadRetries(t *testing.T) {
	t.Parallel()
	log := logOf(fullBatch(0, 4))
	log.errs = []error{sarama.ErrNotLeaderForPartition, errors.New("connection reset")}
	r := &Reader{source: log}
	var retried []error
	r.Retry = func(_ string, _ int32, err error) { retried = append(retried, err) }
	ticks := 0
	r.Tick = func() { ticks++ }
	want := slices.Clone(log.errs)
	got, next := readAll(t, r, 0, 5)
	checkRecords(t, got, log.want(0, 5))
	if next != 5 || !slices.Equal(retried, want) || ticks == 0 {
		t.Errorf("got next %d, retried %v, %d ticks", next, retried, ticks)
	}
}

func TestReadEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	log := logOf(fullBatch(0, 4))
	log.errs = []error{errors.New("broker away")}
	r := &Reader{source: log, Retry: func(string, int32, error) { cancel() }}
	next, err := r.Read(ctx, "London", 3, 1, 5, func([]Record) bool { return true })
	if !errors.Is(err, context.Canceled) || next != 1 {
		t.Errorf("got next %d, error %v", next, err)
	}
}

// Who wants one record does not fetch a megabyte of them, once for each partition of each topic; who wants many does
// not ask a thousand times.
func TestReadAsksForMoreAsItComesForward(t *testing.T) {
	t.Parallel()
	var parts []logPart
	for first := range int64(6) {
		parts = append(parts, fullBatch(first, first))
	}
	parts[4].bytes = 3 << 20
	log := logOf(parts...)
	log.perAsk = 1
	if _, err := (&Reader{source: log}).Read(t.Context(), "London", 3, 0, 6, func([]Record) bool { return true }); err != nil {
		t.Fatal(err)
	}
	want := []int32{16 << 10, 64 << 10, 256 << 10, 1 << 20, 1 << 20, 2 << 20, 4 << 20, 1 << 20}
	if !slices.Equal(log.sizes, want) {
		t.Errorf("asked for %d bytes, want %d", log.sizes, want)
	}
}

func TestReadRefusesWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	huge := logOf(fullBatch(0, 4))
	huge.parts[0].bytes = readerMaxBytes + 1
	damaged := logOf(marker(0, 7, abortMarker))
	damaged.parts[0].set.RecordBatch.Records[0].Key = []byte{0}
	for name, log := range map[string]*fakeLog{"a batch beyond the limit": huge, "a marker without a type": damaged} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := (&Reader{source: log}).Read(t.Context(), "London", 3, 0, 5, func([]Record) bool { return true })
			if !errors.Is(err, ErrUnreadable) {
				t.Errorf("got error %v, want ErrUnreadable", err)
			}
			if last := log.sizes[len(log.sizes)-1]; last > readerMaxBytes {
				t.Errorf("asked for %d bytes", last)
			}
		})
	}
}
