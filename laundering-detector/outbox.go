package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/IBM/sarama"

	"fintrans/internal/alert"
	"fintrans/internal/service"
	"fintrans/internal/transaction"
	"fintrans/internal/window"
)

const (
	// One request carries so many alerts at most.
	maxAnnounced = 500
	// A partition number with so many alerts that are out and not published is not judged any further until
	// some are: what they take, some 10 MB, is not in the budget of the windows.
	maxUnpublished = 50_000
)

// announcement is an alert whose line is out and which the alert topic has not acknowledged yet.
type announcement struct {
	window.Alert
	pair   transaction.Pair
	topic  int   // index of the city
	offset int64 // of the transaction that set it off
	at     int64 // its time
	out    time.Time
	before []int64 // what was judged of each topic when it came: the first offset that was not
}

// outbox carries the alerts of one shard to the alert topic, in the order of their lines, and says how far
// each of the five topics may be committed: not beyond what was judged before an alert that is not published.
// Were it only the topic of the alert, a transaction of another topic that was judged after it, and silent
// because of it, could be committed; after a crash the two would find each other over the threshold already,
// and the alert would never be published. Without an alert topic everything may go as soon as it is judged.
type outbox struct {
	publisher *publisher // nil: there is no alert topic
	detector  *detector
	partition int32
	acked     []chan struct{} // by topic; has a token when more of it may be committed
	filled    chan struct{}   // has a token when there is something to publish
	drained   chan struct{}   // has a token when there is room again

	mu     sync.Mutex
	judged []int64 // by topic: the first offset that was not judged, -1 where none was
	queue  []announcement
}

func newOutbox(d *detector, partition int32) *outbox {
	o := &outbox{
		publisher: d.publisher,
		detector:  d,
		partition: partition,
		filled:    make(chan struct{}, 1),
		drained:   make(chan struct{}, 1),
	}
	for range d.topics {
		o.judged = append(o.judged, -1)
		o.acked = append(o.acked, make(chan struct{}, 1))
	}
	return o
}

// publishes tells whether there is an alert topic.
func (o *outbox) publishes() bool { return o.publisher != nil }

// advance notes that everything of the topic below next was judged.
func (o *outbox) advance(topic int, next int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.judged[topic] = next
}

// add takes an alert whose line is out.
func (o *outbox) add(a announcement) {
	if !o.publishes() {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	a.out = time.Now()
	a.before = append([]int64(nil), o.judged...)
	a.before[a.topic] = a.offset
	o.queue = append(o.queue, a)
	o.detector.metrics.unpublished.Inc()
	signal(o.filled)
}

// markable is the offset below which everything of the topic may be committed, negative where nothing was judged.
func (o *outbox) markable(topic int) int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.queue) > 0 {
		return o.queue[0].before[topic]
	}
	return o.judged[topic]
}

// pending is how many alerts are out and not published.
func (o *outbox) pending() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.queue)
}

// room waits while there is no room for another batch's alerts. It returns ctx's error when that ends first.
func (o *outbox) room(ctx context.Context, alive func()) error {
	if o.pending() < maxUnpublished {
		return nil
	}
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for o.pending() >= maxUnpublished {
		select {
		case <-o.drained:
		case <-tick.C: // of several that wait, one gets the token
			alive()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// run publishes until ctx ends. It goes on trying: only a line that nobody can read about in the alert
// topic yet, and offsets that wait, come of a failure.
func (o *outbox) run(ctx context.Context) {
	loop := o.detector.rt.Health.Loop("publish")
	defer loop.Done()
	for failures := 0; ; {
		batch := o.next(ctx, loop)
		if len(batch) == 0 {
			return
		}
		unsent, err := o.publisher.send(ctx, loop.Tick, o.messages(batch))
		o.remove(batch, unsent)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			failures = 0
			o.publisher.published(o.partition)
		default:
			failures++
			o.publisher.hold(o.partition, o.pending(), err)
			_ = loop.Sleep(ctx, publishRetry.Pause(failures))
		}
	}
}

// next waits for alerts and returns the oldest ones; none when ctx has ended.
func (o *outbox) next(ctx context.Context, loop *service.Loop) []announcement {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		if batch := o.oldest(); len(batch) > 0 {
			return batch
		}
		select {
		case <-o.filled:
		case <-tick.C:
		case <-ctx.Done():
		}
		loop.Tick()
	}
	return nil
}

func (o *outbox) oldest() []announcement {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]announcement(nil), o.queue[:min(len(o.queue), maxAnnounced)]...)
}

// messages are the records of the alerts; the metadata of each is its index.
func (o *outbox) messages(batch []announcement) []*sarama.ProducerMessage {
	messages := make([]*sarama.ProducerMessage, len(batch))
	for i, a := range batch {
		messages[i] = &sarama.ProducerMessage{
			Topic:     o.publisher.topic,
			Partition: o.partition,
			Key:       sarama.ByteEncoder(a.pair.AppendKey(nil)),
			Value:     sarama.ByteEncoder(o.alert(a).Encode()),
			Metadata:  i,
		}
	}
	return messages
}

// alert is what the alert topic is told.
func (o *outbox) alert(a announcement) alert.Alert {
	cities := make([]string, 0, len(o.detector.topics))
	for i, city := range o.detector.topics {
		if a.Tags&(1<<i) != 0 {
			cities = append(cities, city)
		}
	}
	cfg := o.detector.cfg
	return alert.Alert{
		Source: a.pair.Source(), Target: a.pair.Target(),
		Total: a.Total, Threshold: uint64(cfg.AlertThreshold), Window: cfg.AlertWindow.Milliseconds(),
		Transfers: a.Transfers, First: alert.Millis(a.First), Last: alert.Millis(a.Last), Cities: cities,
		Topic: o.detector.topics[a.topic], Partition: o.partition, Offset: a.offset, Time: alert.Millis(a.at),
	}
}

// remove takes what was acknowledged out of the queue, of which the batch is the beginning. unsent are the
// indices of the others.
func (o *outbox) remove(batch []announcement, unsent map[int]bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now, left := time.Now(), make([]announcement, 0, len(unsent))
	for i, a := range batch {
		if unsent[i] {
			left = append(left, a)
			continue
		}
		o.detector.metrics.publish(now.Sub(a.out))
	}
	if len(left) == len(batch) {
		return
	}
	rest := o.queue[len(batch):]
	if len(left) > 0 || len(rest) == 0 {
		rest = slices.Concat(left, rest) // anew: nothing holds on to the memory of a long queue
	}
	o.queue = rest
	signal(o.drained)
	for _, acked := range o.acked {
		signal(acked)
	}
}

// left says what was not published when the session ended, empty where everything was.
func (o *outbox) left() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.queue) == 0 {
		return ""
	}
	o.detector.metrics.unpublished.Sub(float64(len(o.queue)))
	first := o.queue[0]
	return fmt.Sprintf("%s/%d from offset %d (%d alerts)", o.detector.topics[first.topic], o.partition, first.offset, len(o.queue))
}

// signal leaves a token unless there is one already.
func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
