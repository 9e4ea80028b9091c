package kafka

import (
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"
)

// fetchBytes is what is asked for per partition and request, as long as there is no backlog. Decoded it is several times
// as much, and an instance may have 30 partitions.
const fetchBytes = 64 << 10

const (
	// batchesPerFeed is one with the reader, and the next one ready for it.
	batchesPerFeed = 2
	// recordsPerFeed and bytesPerFeed, packed, are enough to have with the reader or ready for it. Without a backlog a
	// fetch brings less, unless producers send large batches; of a partition that is behind one fetch is enough.
	recordsPerFeed = 4096
	bytesPerFeed   = 4 * fetchBytes
)

// Feed is one partition of a Fetcher: its committed data records from an offset on, as they come.
type Feed struct {
	fetcher   *Fetcher
	topic     string
	partition int32
	batches   chan *Batch
	high      atomic.Int64

	// Of the goroutine that asks for it: its poller's, or that which looks for its leader.
	collector
	bytes   int32 // to ask for
	crowded bool  // what others were answered left no room for it
	behind  bool  // there was more than what came

	// Guarded by the Fetcher's mutex.
	failures  int     // since a fetch that was answered
	poller    *poller // nil: its leader is to be found
	epoch     int32   // of the leader
	free      []*Batch
	held      int       // records of the others
	heldBytes int       // that those take
	fullSince time.Time // when it became full
	asked     uint64    // number of its poller's last request for it
	paused    bool
	alone     bool      // to be asked for by itself
	distant   bool      // the broker could not bring its records in the time that it was given
	outdated  bool      // what the client knows of its leader is
	ended     bool      // the log does not hold what is next
	after     time.Time // when it may be asked for
}

func newFeed(f *Fetcher, topic string, partition int32, from int64) *Feed {
	feed := &Feed{
		fetcher: f, topic: topic, partition: partition,
		batches:   make(chan *Batch, batchesPerFeed),
		collector: collector{next: from, to: math.MaxInt64, open: map[int64]bool{}},
		bytes:     fetchBytes,
	}
	for range batchesPerFeed {
		feed.free = append(feed.free, &Batch{feed: feed})
	}
	return feed
}

// Batches brings the records. It is closed when the log does not hold the offset that is next; that the Fetcher has
// ended does not close it.
func (f *Feed) Batches() <-chan *Batch { return f.batches }

// HighWaterMark is the end of the log as the last fetch told it, 0 before the first.
func (f *Feed) HighWaterMark() int64 { return f.high.Load() }

// full tells whether the reader has, or is about to have, enough. The Fetcher's mutex is held.
func (f *Feed) full() bool {
	return len(f.free) == 0 || f.held >= recordsPerFeed || f.heldBytes >= bytesPerFeed
}

// rest makes the feed wait before it is asked for again, longer at each failure, and returns for how long. The Fetcher's
// mutex is held.
func (f *Feed) rest() time.Duration {
	f.failures++
	pause := fetchRetry.Pause(f.failures)
	f.after = time.Now().Add(pause)
	return pause
}

// put takes a batch back, but no memory of a size that is seldom needed. The Fetcher's mutex is held.
func (f *Feed) put(b *Batch) {
	if cap(b.packed) > bytesPerFeed {
		b.packed = nil
	}
	f.free = append(f.free, b)
}

// nudge tells the feed's poller that it may have something to ask for. The Fetcher's mutex is held.
func (f *Feed) nudge() {
	if f.poller != nil {
		signal(f.poller.wake)
	}
}

// locate finds out which broker leads the partition and, where that is the first of the log, which offset is next.
func (f *Feed) locate(source brokerSource) (broker, epoch int32, err error) {
	if f.next < 0 {
		first, err := source.first(f.topic, f.partition)
		if err != nil {
			return 0, 0, err
		}
		f.next = first
	}
	return source.leader(f.topic, f.partition)
}

// fill takes what was answered into the batch, which may stay empty. It was asked for alone, or for others as well.
func (f *Feed) fill(batch *Batch, block *sarama.FetchResponseBlock, alone bool) error {
	f.high.Store(block.HighWaterMarkOffset)
	start := f.next
	err := f.collect(block, batch)
	f.behind = f.next < readableEnd(block)
	switch {
	case f.next > start: // what is damaged may come behind that: then it is the first of the next answer
		f.bytes = fetchBytes
		return nil
	case err != nil:
		return fmt.Errorf("%w: %w", ErrUnreadable, err)
	case partial(block):
		return f.askForMore()
	case start >= readableEnd(block):
		return nil
	}
	if err = f.passEmptied(block); err != nil && !alone {
		// Only the first batch of an answer comes when it is larger than what was asked for, and which partition is first,
		// nobody can tell. Alone it is.
		f.crowded, err = true, nil
	}
	return err
}

// askForMore makes room for a batch that did not come.
func (f *Feed) askForMore() error {
	if f.bytes >= readerMaxBytes {
		f.bytes = fetchBytes
		return ErrUnreadable
	}
	f.bytes *= 2
	return nil
}
