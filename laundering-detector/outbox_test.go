package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/IBM/sarama"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"fintrans/internal/alert"
	"fintrans/internal/service"
	"fintrans/internal/transaction"
	"fintrans/internal/window"
)

// fakeProducer takes the place of the brokers: refuse says which messages fail.
type fakeProducer struct {
	sarama.SyncProducer
	refuse func(attempt int, m *sarama.ProducerMessage) error

	mu       sync.Mutex
	attempts int
	values   []string
}

func (f *fakeProducer) SendMessages(messages []*sarama.ProducerMessage) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.attempts++
	var failed sarama.ProducerErrors
	for _, m := range messages {
		if f.refuse != nil {
			if err := f.refuse(f.attempts, m); err != nil {
				failed = append(failed, &sarama.ProducerError{Msg: m, Err: err})
				continue
			}
		}
		value, err := m.Value.Encode()
		if err != nil {
			return err
		}
		f.values = append(f.values, string(value))
	}
	if len(failed) > 0 {
		return failed
	}
	return nil
}

func (f *fakeProducer) published() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.values...)
}

// newTestPublisher is one that is set up.
func newTestPublisher(rt *service.Runtime, producer sarama.SyncProducer) *publisher {
	p := &publisher{
		topic: "alerts", rt: rt, conf: sarama.NewConfig(), throttle: service.NewThrottle(time.Minute), retries: func() {},
		missing: make(chan struct{}, 1), opened: make(chan struct{}), producer: producer,
		setting: newTrouble(), trouble: map[int32]*service.Condition{},
	}
	close(p.opened)
	return p
}

func newTestOutbox(t *testing.T, producer sarama.SyncProducer) *outbox {
	t.Helper()
	f := newFixture(t, nil)
	d := f.shard.detector
	d.publisher = newTestPublisher(d.rt, producer)
	return newOutbox(d, 3)
}

// out is an alert of the topic with this offset.
func out(topic int, offset int64) announcement {
	return announcement{
		Alert: window.Alert{Total: 10_001, Transfers: 2, First: base, Last: base + 1, Tags: 1<<topic | 1<<4},
		pair:  transaction.PairOf(516, 482), topic: topic, offset: offset, at: base + 1,
	}
}

func counted(t *testing.T, c prometheus.Collector, want float64, what string) {
	t.Helper()
	if got := testutil.ToFloat64(c); got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestWhatMayBeCommitted(t *testing.T) {
	t.Parallel()
	o := newTestOutbox(t, &fakeProducer{})
	check := func(when string, want ...int64) {
		t.Helper()
		for topic, offset := range want {
			if got := o.markable(topic); got != offset {
				t.Errorf("%s: topic %d up to %d, want %d", when, topic, got, offset)
			}
		}
	}
	check("at first", -1, -1, -1, -1, -1)
	o.advance(0, 10)
	o.advance(1, 20)
	check("without alerts", 10, 20, -1, -1, -1)
	o.add(out(0, 12))
	o.advance(0, 15)
	o.advance(1, 25)
	o.advance(2, 3)
	check("with an alert: what was judged before it", 12, 20, -1, -1, -1)
	o.add(out(2, 5))
	o.advance(2, 6)
	check("with two", 12, 20, -1, -1, -1)
	first := o.oldest()[:1]
	o.remove(first, nil)
	check("the first is published", 15, 25, 5, -1, -1)
	o.remove(o.oldest(), nil)
	check("both are", 15, 25, 6, -1, -1)
	if left := o.left(); left != "" {
		t.Errorf("left %q", left)
	}
}

func TestWithoutAlertTopicNothingWaits(t *testing.T) {
	t.Parallel()
	o := newOutbox(newFixture(t, nil).shard.detector, 0)
	o.advance(0, 10)
	o.add(out(0, 9))
	if o.publishes() || o.pending() != 0 || o.markable(0) != 10 {
		t.Errorf("publishes: %v, %d wait, up to %d", o.publishes(), o.pending(), o.markable(0))
	}
}

func TestPublishingGoesOnUntilAllIsTaken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		refused := errors.New("no")
		producer := &fakeProducer{refuse: func(attempt int, m *sarama.ProducerMessage) error {
			if attempt <= 3 || attempt == 4 && m.Metadata.(int) == 1 {
				return refused
			}
			return nil
		}}
		o := newTestOutbox(t, producer)
		for offset := range int64(3) {
			o.add(out(0, offset))
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			o.run(ctx)
		}()
		time.Sleep(time.Minute)
		if o.pending() != 0 || o.markable(0) != -1 {
			t.Errorf("%d wait, up to %d", o.pending(), o.markable(0))
		}
		offsets := ""
		for _, value := range producer.published() {
			a, reason := alert.Parse([]byte(value))
			if reason != alert.None {
				t.Errorf("%v: %s", reason, value)
			}
			offsets += fmt.Sprint(a.Offset)
		}
		if offsets != "021" {
			t.Errorf("offsets %s were published, want each once", offsets)
		}
		counted(t, o.detector.metrics.published, 3, "published")
		counted(t, o.detector.metrics.unpublished, 0, "unpublished")
		cancel()
		<-ended
	})
}

// fakeClient is asked how many partitions there are.
type fakeClient struct {
	sarama.Client
	partitions *int32
}

func (f fakeClient) RefreshMetadata(...string) error {
	*f.partitions = 6
	return nil
}

func TestPartitionsThatAreAddedAreUsedSoon(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		known := int32(1)
		o := newTestOutbox(t, &fakeProducer{refuse: func(int, *sarama.ProducerMessage) error {
			if known <= 3 {
				return sarama.ErrInvalidPartition
			}
			return nil
		}})
		o.publisher.client = fakeClient{partitions: &known}
		o.add(out(0, 1))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			o.run(ctx)
		}()
		time.Sleep(5 * time.Second)
		if o.pending() != 0 {
			t.Errorf("%d wait for the partition that is there", o.pending())
		}
		cancel()
		<-ended
	})
}

func TestWhatIsPublished(t *testing.T) {
	t.Parallel()
	o := newTestOutbox(t, &fakeProducer{})
	m := o.messages([]announcement{out(1, 1234)})[0]
	key, _ := m.Key.Encode()
	value, _ := m.Value.Encode()
	const want = `{"source":516,"target":482,"total":10001,"threshold":10000,"window_ms":3600000,"transfers":2,` +
		`"first":"2023-11-14T22:13:20.000Z","last":"2023-11-14T22:13:20.001Z","cities":["NYC","Tokyo"],` +
		`"topic":"NYC","partition":3,"offset":1234,"time":"2023-11-14T22:13:20.001Z"}`
	if m.Topic != "alerts" || m.Partition != 3 || string(key) != "516 482" || string(value) != want {
		t.Errorf("got %s/%d %s\n%s\nwant\n%s", m.Topic, m.Partition, key, value, want)
	}
}

func TestAFullOutboxHoldsTheShardUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newTestOutbox(t, &fakeProducer{})
		for offset := range int64(maxUnpublished) {
			o.add(out(0, offset))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		ticks := 0
		if err := o.room(ctx, func() { ticks++ }); err == nil || ticks < 60 {
			t.Errorf("got %v after %d ticks, want no room for a minute", err, ticks)
		}
		cancel()
		free := make(chan error)
		go func() { free <- o.room(t.Context(), func() {}) }()
		synctest.Wait()
		o.remove(o.oldest(), nil)
		if err := <-free; err != nil {
			t.Error(err)
		}
	})
}

func TestTroubleOfPublishingIsSaid(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newTestPublisher(testRuntime(nil), &fakeProducer{})
		tests := []struct {
			err  error
			want string
		}{
			{sarama.ErrInvalidPartition, "has no partition 4: add partitions"},
			{sarama.ErrUnknownTopicOrPartition, "the alert topic alerts is not there"},
			{sarama.ErrNotEnoughReplicas, "takes nothing"},
			{sarama.ErrTopicAuthorizationFailed, "the cluster does not allow this"},
		}
		for _, tt := range tests {
			p.hold(4, 1, tt.err)
			if reason := p.reason(); reason != "" {
				t.Errorf("%v counts at once: %s", tt.err, reason)
			}
			time.Sleep(time.Minute)
			if reason := p.reason(); !strings.Contains(reason, tt.want) {
				t.Errorf("%v: got %q, want %q", tt.err, reason, tt.want)
			}
			p.published(4)
			if reason := p.reason(); reason != "" {
				t.Errorf("%v still counts: %s", tt.err, reason)
			}
		}
		if len(p.missing) != 1 {
			t.Error("the topic is not looked for again")
		}
	})
}

func TestKnownAlerts(t *testing.T) {
	t.Parallel()
	pair, other := transaction.PairOf(1, 2), transaction.PairOf(3, 4)
	var k known
	for _, a := range []knownAlert{{9, 5, pair}, {3, 5, pair}, {3, 6, pair}, {3, 6, pair}, {12, 5, pair}} {
		k.add(a)
	}
	k.sort()
	tests := []struct {
		name string
		a    knownAlert
		want bool
	}{
		{"never seen", knownAlert{1, 5, pair}, false},
		{"of a topic that was created again: another pair", knownAlert{3, 6, other}, false},
		{"another time", knownAlert{3, 7, pair}, false},
		{"known", knownAlert{3, 6, pair}, true},
		{"one that was passed over", knownAlert{12, 5, pair}, true},
		{"behind all", knownAlert{13, 5, pair}, false},
	}
	for _, tt := range tests {
		if got := k.has(tt.a); got != tt.want {
			t.Errorf("%s: got %v", tt.name, got)
		}
	}
	if k.list != nil {
		t.Errorf("%d are kept that nobody can ask for", len(k.list))
	}
}

func TestAKnownAlertIsNotWrittenAgain(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.shard.topics[0].known.add(knownAlert{offset: 1, at: minutes(0), pair: transaction.PairOf(516, 482)})
	f.send("London", "516 482 10001", minutes(0))
	f.send("London", "516 483 10001", minutes(0))
	if got, want := f.out.String(), "POTENTIAL MONEY LAUNDERING: 516 -> 483 totalling 10001 now\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	counted(t, f.shard.detector.metrics.known, 1, "known")
	f.send("London", "516 482 1", minutes(1)) // the episode is there all the same
	if f.alerts() != 1 {
		t.Errorf("got %q", f.out)
	}
}
