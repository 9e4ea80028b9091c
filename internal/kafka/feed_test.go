package kafka

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/IBM/sarama"
)

// What one partition holds and nobody can read makes the whole answer unreadable.
func TestARecordThatCannotBeReadHoldsUpItsPartitionAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 1, logOf(fullBatch(0, 9)), logOf(fullBatch(0, 4)), logOf())
		c.logs[0].damaged = true
		f := fetchFrom(t, c)
		damaged := f.Feed("London", 0, 0)
		for p, want := range map[int32]int{1: 5, 2: 7} {
			c.append(2, fullBatch(0, 6))
			if got := len(read(f.Feed("London", p, 0), want)); got != want {
				t.Errorf("partition %d: got %d records, want %d", p, got, want)
			}
		}
		time.Sleep(time.Minute)
		told := f.complaints()
		if len(told) < 5 || len(told) > 100 {
			t.Errorf("told %d times in a minute", len(told))
		}
		for _, complaint := range told {
			if complaint != "London/0: gzip: invalid header" {
				t.Errorf("told %q", complaint)
			}
		}
		c.mu.Lock()
		c.logs[0].damaged = false
		c.mu.Unlock()
		if got := len(read(damaged, 10)); got != 10 {
			t.Errorf("when it can be read: got %d records, want 10", got)
		}
	})
}

// What comes before a batch that says something else than it holds is not lost with it.
func TestWhatComesBeforeADamagedBatchIsRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		damaged := marker(10, 7, abortMarker)
		damaged.set.RecordBatch.Records[0].Key = nil
		c := newCluster(t, 1, logOf(fullBatch(0, 9), damaged, fullBatch(11, 19)))
		f := fetchFrom(t, c)
		feed := f.Feed("London", 0, 0)
		checkRecords(t, read(feed, 11), c.logs[0].want(0, 10))
		if told := f.complaints(); len(told) == 0 || !strings.Contains(told[0], ErrUnreadable.Error()) {
			t.Errorf("told %q, want %q", told, ErrUnreadable)
		}
	})
}

func TestAFeedEndsWhereTheLogDoesNotHoldItsOffset(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := logOf(fullBatch(0, 9))
		log.start = 5
		c := newCluster(t, 1, log, log)
		f := fetchFrom(t, c)
		if got := read(f.Feed("London", 0, 2), 1); len(got) != 0 {
			t.Errorf("got %v, want no record", got)
		}
		want := []string{"London/0: " + sarama.ErrOffsetOutOfRange.Error()}
		if got := f.complaints(); !slices.Equal(got, want) {
			t.Errorf("told %q, want %q", got, want)
		}
		time.Sleep(time.Minute)
		if got := c.asked(0); got != 1 {
			t.Errorf("asked for %d times, want once", got)
		}
		checkRecords(t, read(f.Feed("London", 1, sarama.OffsetOldest), 5), log.want(5, 10))
	})
}

// A broker that fetches from a remote store answers with nothing when that takes too long.
func TestNothingIsPassedOverWithoutProof(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &late{fakeCluster: newCluster(t, 1, logOf(fullBatch(0, 9)))}
		f := fetchFrom(t, c.fakeCluster)
		f.Fetcher.source = c
		checkRecords(t, read(f.Feed("London", 0, 0), 10), c.logs[0].want(0, 10))
	})
}

// late has nothing when it is not given its time.
type late struct{ *fakeCluster }

func (l *late) fetchFrom(broker int32, asks []ask, wait time.Duration) (*sarama.FetchResponse, error) {
	response, err := l.fakeCluster.fetchFrom(broker, asks, wait)
	if err == nil && wait < longWait {
		response.Blocks["London"][0].RecordsSet = nil
	}
	return response, err
}

// What is seldom needed is not kept, and large records are not fetched ahead.
func TestLargeRecordsAreFewAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		parts := batches(4)
		for i := range parts {
			large := &parts[i].set.RecordBatch.Records[3].Value
			*large = make([]byte, 1<<20)
			parts[i].want[3].Value = *large
		}
		log := logOf(parts...)
		log.perAsk = 1
		c := newCluster(t, 1, log)
		f := fetchFrom(t, c)
		feed := f.Feed("London", 0, 0)
		time.Sleep(time.Minute)
		if got := c.asked(0); got != 1 {
			t.Errorf("asked for %d times before the first batch was given back, want once", got)
		}
		checkRecords(t, read(feed, 40), log.want(0, 40))
		f.Pause("London", 0)
		time.Sleep(2 * longWait) // none is out for a request
		feed.fetcher.mu.Lock()
		defer feed.fetcher.mu.Unlock()
		if len(feed.free) != batchesPerFeed {
			t.Errorf("%d batches are idle, want %d", len(feed.free), batchesPerFeed)
		}
		for _, batch := range feed.free {
			if cap(batch.packed) > bytesPerFeed {
				t.Errorf("an idle batch keeps %d bytes", cap(batch.packed))
			}
		}
	})
}

// A broker that slows a client down answers with no partition at all.
func TestAnAnswerWithoutThePartitionIsNoError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &slowedDown{fakeCluster: newCluster(t, 1, logOf(fullBatch(0, 9))), left: 3}
		f := fetchFrom(t, c.fakeCluster)
		f.Fetcher.source = c
		checkRecords(t, read(f.Feed("London", 0, 0), 10), c.logs[0].want(0, 10))
		if got := f.complaints(); len(got) != 0 {
			t.Errorf("told %q", got)
		}
	})
}

type slowedDown struct {
	*fakeCluster
	left int // of the answers without a partition
}

func (s *slowedDown) fetchFrom(broker int32, asks []ask, wait time.Duration) (*sarama.FetchResponse, error) {
	if s.left > 0 {
		s.left--
		return &sarama.FetchResponse{}, nil
	}
	return s.fakeCluster.fetchFrom(broker, asks, wait)
}

// What a batch holds is its reader's until that gives it back, and of the response it came in nothing is kept.
func TestBatchesHoldWhatTheyHeldUntilReleased(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := logOf(batches(20)...)
		log.parts[3].want[0].Value, log.parts[3].set.RecordBatch.Records[0].Value = nil, nil
		want := log.want(0, 200)
		for i := range want {
			want[i].Value = slices.Clone(want[i].Value)
		}
		f := fetchFrom(t, newCluster(t, 1, log))
		feed := f.Feed("London", 0, 0)
		var before *Batch
		var got, held []Record
		for batch := range feed.Batches() {
			records := rest(batch)
			for _, record := range log.parts[records[0].Offset/10].set.RecordBatch.Records {
				for i := range record.Value {
					record.Value[i] = 'x' // nobody uses the response any more
				}
			}
			if before != nil {
				for _, record := range held {
					got = append(got, Record{record.Offset, record.Millis, slices.Clone(record.Value)})
				}
				before.Release()
			}
			if before, held = batch, records; records[len(records)-1].Offset == 199 {
				break
			}
		}
		checkRecords(t, append(got, held...), want)
		if got[30].Value != nil || got[31].Value == nil {
			t.Errorf("got %v for a record without a value", got[30].Value)
		}
	})
}
