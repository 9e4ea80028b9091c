package kafka

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/IBM/sarama"
)

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
	asked := choices(p, 12, func(feed *Feed) string { return fmt.Sprint(feed.partition) })
	want := []string{"0", "34", "1", "34", "2", "34", "0", "34", "1", "34", "2", "34"}
	if !slices.Equal(asked, want) {
		t.Errorf("asked for %q, want %q", asked, want)
	}
}

// choices has the poller choose so many times, and each reader give its batch back at once. It returns what was chosen.
func choices(p *poller, times int, name func(*Feed) string) []string {
	var list []string
	for range times {
		feeds, _ := p.choose(time.Now())
		text := ""
		for i, feed := range feeds {
			text += name(feed)
			feed.put(p.batches[i])
		}
		list = append(list, text)
	}
	return list
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
