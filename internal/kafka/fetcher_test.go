package kafka

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/IBM/sarama"
)

// fakeCluster is brokers that follow Kafka's rules for fetches of several partitions. A test looks at its partitions
// and changes them under its mutex.
type fakeCluster struct {
	t *testing.T

	mu   sync.Mutex
	rng  *rand.Rand
	logs []*fakePartition
}

// fakePartition is one partition of London.
type fakePartition struct {
	*fakeLog
	leads   int32 // which broker does
	known   int32 // which the client believes to
	damaged bool  // what it holds cannot be read
	asked   int
}

func newCluster(t *testing.T, seed uint64, logs ...*fakeLog) *fakeCluster {
	c := &fakeCluster{t: t, rng: rand.New(rand.NewPCG(seed, 2))}
	for _, log := range logs {
		c.logs = append(c.logs, &fakePartition{fakeLog: log})
	}
	return c
}

func (c *fakeCluster) leader(_ string, partition int32) (broker, epoch int32, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.logs[partition].known, 0, nil
}

func (c *fakeCluster) first(_ string, partition int32) (int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.logs[partition].start, nil
}

func (c *fakeCluster) refresh([]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, log := range c.logs {
		log.known = log.leads
	}
}

// fetchFrom answers as soon as there is something, at the latest when the time is over.
func (c *fakeCluster) fetchFrom(broker int32, asks []ask, wait time.Duration) (*sarama.FetchResponse, error) {
	for _, a := range asks {
		c.mu.Lock()
		c.logs[a.partition].asked++
		c.mu.Unlock()
	}
	for until := time.Now().Add(wait); ; {
		response, some, err := c.answer(broker, asks)
		if some || err != nil || !time.Now().Before(until) {
			return response, err
		}
		time.Sleep(max(time.Millisecond, wait/20)) // of the bubble
	}
}

func (c *fakeCluster) answer(broker int32, asks []ask) (response *sarama.FetchResponse, some bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	response = &sarama.FetchResponse{Blocks: map[string]map[int32]*sarama.FetchResponseBlock{"London": {}}}
	sent := false
	for _, i := range c.rng.Perm(len(asks)) {
		a := asks[i]
		log := c.logs[a.partition]
		if log.leads != broker {
			response.AddError(a.topic, a.partition, sarama.ErrNotLeaderForPartition)
			some = true
			continue
		}
		if log.damaged && a.offset < log.end {
			return nil, false, errors.New("gzip: invalid header")
		}
		bytes := a.bytes
		if !sent {
			bytes = 1 << 30 // the first batch comes whatever its size
		}
		block, err := log.fetch(context.Background(), a.topic, a.partition, a.offset, bytes, nil)
		var code sarama.KError
		switch {
		case errors.As(err, &code):
			response.AddError(a.topic, a.partition, code)
			some = true
			continue
		case err != nil:
			return nil, false, err
		}
		if a.offset < readableEnd(block) {
			some = true
			if partial(block) {
				block.RecordsSet = nil // a part of a batch is not sent
			} else {
				sent = true
			}
		}
		response.Blocks[a.topic][a.partition] = block
	}
	return response, some, nil
}

// append adds batches to a partition.
func (c *fakeCluster) append(partition int32, parts ...logPart) {
	c.mu.Lock()
	defer c.mu.Unlock()
	log := c.logs[partition]
	log.parts = append(log.parts, parts...)
	log.end = parts[len(parts)-1].last + 1
	log.stable = log.end
}

func (c *fakeCluster) asked(partition int32) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.logs[partition].asked
}

// fetching is a Fetcher at work over a fakeCluster, with what it complained of.
type fetching struct {
	*Fetcher
	*fakeCluster
	mu     sync.Mutex
	errors []string
}

const longWait = 500 * time.Millisecond

func fetchFrom(t *testing.T, c *fakeCluster) *fetching {
	f := &fetching{fakeCluster: c}
	f.Fetcher = newFetcher(c, longWait, func(topic string, partition int32, err error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.errors = append(f.errors, fmt.Sprintf("%s/%d: %v", topic, partition, err))
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		time.Sleep(2 * longWait) // of the bubble: what is under way is answered
	})
	return f
}

func (f *fetching) complaints() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.errors)
}

// read takes records until there are so many, or none comes for five seconds of the bubble.
func read(feed *Feed, count int) []Record {
	var got []Record
	for len(got) < count {
		select {
		case batch, ok := <-feed.Batches():
			if !ok {
				return got
			}
			for _, record := range rest(batch) {
				record.Value = slices.Clone(record.Value)
				got = append(got, record)
			}
			batch.Release()
		case <-time.After(5 * time.Second):
			return got
		}
	}
	return got
}

// batches are so many batches of ten records.
func batches(count int64) []logPart {
	var parts []logPart
	for n := range count {
		parts = append(parts, fullBatch(10*n, 10*n+9))
	}
	return parts
}

// TestFetchRandomLogs compares with the plain meaning: logs of every shape, batches of every size, leaders that move
// and requests that fail meanwhile.
func TestFetchRandomLogs(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 3))
			var logs []*fakeLog
			for range 1 + rng.IntN(6) {
				log := randomLog(rng)
				for i := range log.parts {
					log.parts[i].bytes = 1 << rng.IntN(23)
				}
				logs = append(logs, log)
			}
			c := newCluster(t, seed, logs...)
			f := fetchFrom(t, c)
			var readers sync.WaitGroup
			for p, log := range logs {
				from := rng.Int64N(log.end + 1)
				feed := f.Feed("London", int32(p), from)
				readers.Go(func() {
					want := log.want(from, log.end)
					checkRecords(t, read(feed, len(want)+1), want)
				})
			}
			for range 5 {
				time.Sleep(time.Duration(rng.IntN(30)) * time.Millisecond)
				c.mu.Lock()
				log := c.logs[rng.IntN(len(c.logs))]
				switch rng.IntN(3) {
				case 0:
					log.leads = rng.Int32N(3)
				case 1:
					log.errs = append(log.errs, sarama.ErrNotConnected)
				case 2:
					log.errs = append(log.errs, sarama.ErrKafkaStorageError)
				}
				c.mu.Unlock()
			}
			readers.Wait()
		})
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// A partition whose batches nobody gives back is not fetched, and holds up no other.
func TestAReaderThatStandsStillHoldsUpNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 1, logOf(batches(100)...), logOf(batches(100)...))
		f := fetchFrom(t, c)
		slow, quick := f.Feed("London", 0, 0), f.Feed("London", 1, 0)
		start := time.Now()
		if got := len(read(quick, 1000)); got != 1000 || time.Since(start) > time.Second {
			t.Errorf("got %d records in %v, want all at once", got, time.Since(start))
		}
		synctest.Wait()
		if got := c.asked(0); got != batchesPerFeed {
			t.Errorf("the other was asked for %d times, want %d", got, batchesPerFeed)
		}
		time.Sleep(time.Minute)
		before := c.asked(1)
		time.Sleep(time.Minute)
		if got, most := c.asked(1)-before, int(time.Minute/longWait)+1; got > most {
			t.Errorf("%d requests in a minute without records, want at most %d", got, most)
		}
		if got := len(read(slow, 1000)); got != 1000 {
			t.Errorf("then the other got %d records, want all", got)
		}
	})
}

// A partition whose reader has all of its batches is not in the request that waits for the records of others. That must
// not keep the reader waiting when it gives one back.
func TestAReaderWithABacklogDoesNotWaitForTheRecordsOfOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 1, logOf(batches(100)...), logOf())
		f := fetchFrom(t, c)
		feed := f.Feed("London", 0, 0)
		f.Feed("London", 1, 0)
		start := time.Now()
		for got := 0; got < 1000; {
			batch := <-feed.Batches()
			got += batch.Left()
			time.Sleep(10 * time.Millisecond)
			batch.Release()
		}
		if took, most := time.Since(start), 50*(10+5)*time.Millisecond+longWait; took > most {
			t.Errorf("it took %v to read 50 batches at 10 ms each, want at most %v", took, most)
		}
	})
}

func TestPausedPartitionsAreNotFetched(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 1, logOf(), logOf())
		f := fetchFrom(t, c)
		feed, other := f.Feed("London", 0, 0), f.Feed("London", 1, 0)
		f.Pause("London", 0)
		time.Sleep(2 * longWait)
		before := c.asked(0)
		c.append(0, fullBatch(0, 9))
		c.append(1, fullBatch(0, 4))
		if got := len(read(other, 5)); got != 5 {
			t.Errorf("the other got %d records, want 5", got)
		}
		if got := len(read(feed, 1)); got != 0 || c.asked(0) != before {
			t.Errorf("got %d records, asked for %d times", got, c.asked(0)-before)
		}
		f.Resume("London", 0)
		start := time.Now()
		if got := len(read(feed, 10)); got != 10 || time.Since(start) > 2*longWait {
			t.Errorf("then got %d records after %v, want 10", got, time.Since(start))
		}
	})
}

// A batch that is larger than what is asked for comes only when it is the first of an answer, so that its partition is
// asked for alone. Of several such partitions each has its turn, and the others are not left out.
func TestPartitionsThatAreAskedForAloneTakeTurns(t *testing.T) {
	t.Parallel()
	f := newFetcher(nil, longWait, nil)
	p := &poller{fetcher: f}
	for partition := range int32(5) {
		feed := newFeed(f, "London", partition, 0)
		feed.alone = partition < 3
		p.feeds = append(p.feeds, feed)
	}
	var asked []string
	for range 12 {
		feeds, _ := p.choose(time.Now())
		text := ""
		for i, feed := range feeds {
			text += fmt.Sprint(feed.partition)
			feed.put(p.batches[i])
		}
		asked = append(asked, text)
	}
	want := []string{"0", "34", "1", "34", "2", "34", "0", "34", "1", "34", "2", "34"}
	if !slices.Equal(asked, want) {
		t.Errorf("asked for %q, want %q", asked, want)
	}
}

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

// A session begins with its partitions one after the other; none waits until the request for the first has an answer.
func TestPartitionsThatComeTogetherDoNotWaitForEachOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 1, logOf(), logOf(fullBatch(0, 9)))
		f := fetchFrom(t, c)
		f.Feed("London", 0, 0)
		synctest.Wait()
		start := time.Now()
		if got := len(read(f.Feed("London", 1, 0), 10)); got != 10 || time.Since(start) > longWait/10 {
			t.Errorf("got %d records after %v", got, time.Since(start))
		}
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
