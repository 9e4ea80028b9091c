package kafka

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

// Fetcher reads partitions as they grow: per broker, one request after the other for all partitions that it leads and
// whose readers have room. Records are handed over by the batch; sarama's consumer hands over each for itself, which
// costs more than to judge or to encode it. No partition waits for the reader of another.
//
// Its client should be its own: a connection is served in order, and what else is asked on it would wait behind a
// fetch. How long a broker waits for how much, the client's configuration says (Consumer.MaxWaitTime and Fetch.Min).
type Fetcher struct {
	source brokerSource
	wait   time.Duration
	failed func(topic string, partition int32, err error)
	wake   chan struct{} // tells Run that a feed has no poller

	mu      sync.Mutex
	feeds   []*Feed
	pollers map[int32]*poller // by the broker's number
}

// brokerSource is what a Fetcher needs of the brokers. Each call may block for as long as the client's timeouts say.
type brokerSource interface {
	// leader returns the number of the partition's leader, and the leader's epoch.
	leader(topic string, partition int32) (broker, epoch int32, err error)
	// first returns the first offset that the partition still holds.
	first(topic string, partition int32) (int64, error)
	// refresh asks the cluster again who leads the topics' partitions.
	refresh(topics []string)
	// fetchFrom asks one broker, which may wait that long for records.
	fetchFrom(broker int32, asks []ask, wait time.Duration) (*sarama.FetchResponse, error)
}

// NewFetcher returns a Fetcher over client, which stays the caller's to close. Its feeds are fetched from when Run is
// called until that ends. failed is called, perhaps concurrently, with each error that makes a partition wait. It is
// asked for again all the same, but after sarama.ErrOffsetOutOfRange, which ends its feed.
func NewFetcher(client sarama.Client, failed func(topic string, partition int32, err error)) *Fetcher {
	return newFetcher(brokers{client}, client.Config().Consumer.MaxWaitTime, failed)
}

func newFetcher(source brokerSource, wait time.Duration, failed func(topic string, partition int32, err error)) *Fetcher {
	return &Fetcher{
		source: source, wait: wait, failed: failed,
		wake: make(chan struct{}, 1), pollers: map[int32]*poller{},
	}
}

// Feed begins to fetch a partition from the offset on; a negative one stands for the first that the log still holds.
func (f *Fetcher) Feed(topic string, partition int32, from int64) *Feed {
	feed := newFeed(f, topic, partition, from)
	f.mu.Lock()
	f.feeds = append(f.feeds, feed)
	f.mu.Unlock()
	signal(f.wake)
	return feed
}

// Pause has the partition not be fetched, if there is such a feed; what was fetched already still comes.
func (f *Fetcher) Pause(topic string, partition int32) { f.setPaused(topic, partition, true) }

// Resume goes on with a partition that Pause stopped.
func (f *Fetcher) Resume(topic string, partition int32) { f.setPaused(topic, partition, false) }

func (f *Fetcher) setPaused(topic string, partition int32, paused bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, feed := range f.feeds {
		if feed.topic == topic && feed.partition == partition {
			feed.paused = paused
			feed.nudge()
		}
	}
}

// Run finds the leaders of the feeds and has them asked, until ctx ends. What is under way then ends by itself.
func (f *Fetcher) Run(ctx context.Context) {
	for ctx.Err() == nil {
		timer := time.NewTimer(f.place(ctx))
		select {
		case <-ctx.Done():
		case <-f.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// place finds a poller for each feed that has none and is due. It returns how long it is until the next is.
func (f *Fetcher) place(ctx context.Context) time.Duration {
	due, next := f.homeless(time.Now())
	if topics := outdated(due); len(topics) > 0 {
		f.source.refresh(topics)
	}
	for _, feed := range due {
		broker, epoch, err := feed.locate(f.source)
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			f.failed(feed.topic, feed.partition, err)
			next = min(next, f.away(feed))
			continue
		}
		f.assign(ctx, feed, broker, epoch)
	}
	return next
}

// homeless returns the feeds without a poller that are due, and how long it is until others are.
func (f *Fetcher) homeless(now time.Time) (due []*Feed, next time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	next = time.Hour
	for _, feed := range f.feeds {
		switch {
		case feed.poller != nil || feed.ended:
		case feed.after.After(now):
			next = min(next, feed.after.Sub(now))
		default:
			due = append(due, feed)
		}
	}
	return due, next
}

// outdated returns the topics of those feeds whose leader is not the one that the client knows.
func outdated(feeds []*Feed) []string {
	var topics []string
	for _, feed := range feeds {
		if feed.outdated && !slices.Contains(topics, feed.topic) {
			topics = append(topics, feed.topic)
		}
	}
	return topics
}

// away notes that a feed's leader could not be found, and returns after what time to look again.
func (f *Fetcher) away(feed *Feed) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	feed.outdated = true
	return feed.rest()
}

// assign gives a feed to the poller of its leader.
func (f *Fetcher) assign(ctx context.Context, feed *Feed, broker, epoch int32) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.pollers[broker]
	if p == nil {
		p = &poller{fetcher: f, broker: broker, wake: make(chan struct{}, 1)}
		f.pollers[broker] = p
		go p.run(ctx)
	}
	feed.poller, feed.epoch, feed.outdated = p, epoch, false
	feed.asked = p.number // that of another poller would say nothing here of who has waited longer
	p.feeds = append(p.feeds, feed)
	feed.nudge()
}

// evict takes a feed from its poller, until its leader is found again or, where the log does not hold its offset, for good.
func (f *Fetcher) evict(feed *Feed, unused *Batch, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	feed.put(unused)
	p := feed.poller
	p.feeds = slices.DeleteFunc(p.feeds, func(other *Feed) bool { return other == feed })
	feed.poller, feed.outdated = nil, true
	feed.distant = errors.Is(err, errNothing)
	feed.rest()
	if errors.Is(err, sarama.ErrOffsetOutOfRange) {
		feed.ended = true
		close(feed.batches)
	}
	signal(f.wake)
}

// deliver hands a batch over to the feed's reader, if there is anything in it.
func (f *Fetcher) deliver(feed *Feed, batch *Batch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	feed.failures = 0
	feed.alone, feed.crowded, feed.distant = feed.crowded, false, false
	if batch.count == 0 {
		feed.put(batch)
		return
	}
	feed.held += batch.count
	feed.heldBytes += len(batch.packed)
	if feed.full() {
		feed.fullSince = time.Now()
	}
	feed.batches <- batch // there is room for all that there are
}

// postpone leaves a feed out for a moment.
func (f *Fetcher) postpone(feed *Feed, unused *Batch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	feed.put(unused)
	feed.rest()
}

// separate has each of the feeds be asked for alone, once.
func (f *Fetcher) separate(feeds []*Feed, unused []*Batch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, feed := range feeds {
		feed.put(unused[i])
		feed.alone = true
	}
}

// release takes a batch back from its reader.
func (f *Fetcher) release(b *Batch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	b.feed.held -= b.count
	b.feed.heldBytes -= len(b.packed)
	b.feed.put(b)
	b.feed.nudge()
}

func signal(wake chan struct{}) {
	select {
	case wake <- struct{}{}:
	default: // it is woken already
	}
}
