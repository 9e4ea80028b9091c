package kafka

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"time"

	"github.com/IBM/sarama"
)

const (
	// shortWait is how long a broker may wait for records when a partition that is not in the request may have to be
	// asked for at any moment.
	shortWait = 5 * time.Millisecond
	// A reader that has had all of its batches for this long is not expected to give one back at any moment.
	slowReader = 250 * time.Millisecond
)

// poller asks one broker for what its feeds have room for.
type poller struct {
	fetcher *Fetcher
	broker  int32
	wake    chan struct{} // gets something when a feed may be asked for

	feeds []*Feed // those that it asks for; guarded by the Fetcher's mutex

	ready   []*Feed  // scratch: what the request is for
	behind  []*Feed  // scratch: what it may be for, too, in part
	batches []*Batch // taken for the request, one of each feed in it
	before  []*Feed  // what was asked for before
	alone   bool     // the request is for a feed that is to be asked for alone
	number  uint64   // of the request; guarded by the Fetcher's mutex
}

// ask is what is wanted of one partition.
type ask struct {
	topic     string
	partition int32
	offset    int64
	bytes     int32
	epoch     int32 // of the leader
}

// run asks until ctx ends. A request that is under way then is waited for: what it brings is dropped.
func (p *poller) run(ctx context.Context) {
	for ctx.Err() == nil {
		feeds, wait := p.choose(time.Now())
		if len(feeds) == 0 {
			p.idle(ctx, wait)
			continue
		}
		response, err := p.fetcher.source.fetchFrom(p.broker, asksOf(feeds), wait)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			p.fail(feeds, err)
			continue
		}
		for i, feed := range feeds {
			p.deliver(feed, p.batches[i], response.GetBlock(feed.topic, feed.partition))
		}
	}
}

// idle waits until there may be something to ask for.
func (p *poller) idle(ctx context.Context, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-p.wake:
	case <-timer.C:
	}
}

// choose returns the feeds to ask for, with a batch of each in p.batches, and how long the broker may wait for
// records. Without a feed, that is how long until there may be one.
func (p *poller) choose(now time.Time) (feeds []*Feed, wait time.Duration) {
	p.fetcher.mu.Lock()
	defer p.fetcher.mu.Unlock()
	lonely, wait := p.sort(now)
	switch {
	case lonely != nil && (len(p.ready) == 0 || !p.alone):
		p.alone = true
		p.ready, wait = append(p.ready[:0], lonely), shortWait
		if lonely.distant {
			wait = p.fetcher.wait
		}
	case lonely != nil || !slices.Equal(p.ready, p.before):
		// One that has only just come may be followed by others, as at the beginning of a session.
		wait = shortWait
		fallthrough
	default:
		p.alone = false
		p.before = append(p.before[:0], p.ready...)
	}
	p.take()
	return p.ready, wait
}

// sort puts those feeds into p.ready that may be asked for together, and returns that which is to be asked for alone and
// has waited longest.
func (p *poller) sort(now time.Time) (lonely *Feed, wait time.Duration) {
	p.ready, p.behind, wait = p.ready[:0], p.behind[:0], p.fetcher.wait
	for _, feed := range p.feeds {
		switch {
		case feed.paused:
		case feed.after.After(now):
			wait = min(wait, feed.after.Sub(now))
		case feed.full():
			if now.Sub(feed.fullSince) < slowReader {
				wait = min(wait, shortWait)
			}
		case feed.alone:
			if lonely == nil || feed.asked < lonely.asked {
				lonely = feed
			}
		case feed.behind:
			p.behind = append(p.behind, feed)
		default:
			p.ready = append(p.ready, feed)
		}
	}
	p.nextBehind()
	return lonely, wait
}

// take takes a batch of each feed that is asked for.
func (p *poller) take() {
	p.batches = p.batches[:0]
	p.number++
	for _, feed := range p.ready {
		last := len(feed.free) - 1
		p.batches = append(p.batches, feed.free[last])
		feed.asked = p.number
		feed.free = feed.free[:last]
	}
}

func asksOf(feeds []*Feed) []ask {
	asks := make([]ask, len(feeds))
	for i, feed := range feeds {
		asks[i] = ask{feed.topic, feed.partition, feed.next, feed.wanted(), feed.epoch}
	}
	return asks
}

// deliver takes in what was answered for one feed.
func (p *poller) deliver(feed *Feed, batch *Batch, block *sarama.FetchResponseBlock) {
	if block == nil { // so a broker slows down a client with a quota
		p.fetcher.postpone(feed, batch)
		return
	}
	var err error = block.Err
	if errors.Is(err, sarama.ErrNoError) {
		err = feed.fill(batch, block, p.alone)
	}
	if err != nil {
		p.drop(feed, batch, err)
		return
	}
	p.fetcher.deliver(feed, batch)
}

// fail deals with a request that has no answer.
func (p *poller) fail(feeds []*Feed, err error) {
	if len(feeds) > 1 && !isTransport(err) {
		// It is something in the records of one of them. Which one, shows when each is asked for alone.
		p.fetcher.separate(feeds, p.batches)
		return
	}
	for i, feed := range feeds {
		p.drop(feed, p.batches[i], err)
	}
}

// drop gives a feed up until its leader is found again.
func (p *poller) drop(feed *Feed, batch *Batch, err error) {
	p.fetcher.failed(feed.topic, feed.partition, err)
	p.fetcher.evict(feed, batch, err)
}

// isTransport tells whether an error is the connection's or the broker's, and not one of what was read.
func isTransport(err error) bool {
	var (
		network net.Error
		code    sarama.KError
	)
	if errors.As(err, &network) || errors.As(err, &code) {
		return true
	}
	return slices.ContainsFunc([]error{
		io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, sarama.ErrNotConnected, sarama.ErrClosedClient, sarama.ErrBrokerNotFound,
	}, func(known error) bool { return errors.Is(err, known) })
}
