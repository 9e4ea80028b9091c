package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/IBM/sarama"

	"fintrans/internal/backoff"
	"fintrans/internal/kafka"
	"fintrans/internal/service"
)

const (
	// publishTime is what the end of a session has for publishing what is out: with printGrace before
	// it, within the drain.
	publishTime = 4 * time.Second
	// sarama tries a request again so often, before we do: together they go on for ever.
	publishRetries = 3
)

// publishRetry are the pauses before alerts are published again.
var publishRetry = backoff.Bounds{First: 250 * time.Millisecond, Max: 4 * time.Second}

// publisher is the way to the alert topic, which it creates and creates again. It is safe for concurrent use.
type publisher struct {
	topic    string
	cfg      config
	rt       *service.Runtime
	conf     *sarama.Config
	throttle *service.Throttle
	retries  func()        // counts a failure
	missing  chan struct{} // has a token when the topic seems to be gone
	opened   chan struct{} // closed when there is a producer
	producer sarama.SyncProducer
	client   sarama.Client
	stop     context.CancelFunc // ends run
	ended    chan struct{}      // closed when run has returned

	mu      sync.Mutex
	setting *service.Condition           // up is not done
	trouble map[int32]*service.Condition // by partition number
}

// newPublisher returns nil where no alert topic is set.
func newPublisher(cfg config, rt *service.Runtime, retries func()) (*publisher, error) {
	if cfg.AlertsTopic == "" {
		return nil, nil
	}
	conf, err := publisherConfig(cfg)
	if err != nil {
		return nil, err
	}
	p := &publisher{
		topic: string(cfg.AlertsTopic), cfg: cfg, rt: rt, conf: conf,
		throttle: service.NewThrottle(10 * time.Second), retries: retries,
		missing: make(chan struct{}, 1), opened: make(chan struct{}),
		setting: newTrouble(), trouble: map[int32]*service.Condition{},
	}
	rt.Ready.Check("alerts", p.reason)
	return p, nil
}

// publisherConfig is that of a producer of which every in-sync replica has what it acknowledges, once.
func publisherConfig(cfg config) (*sarama.Config, error) {
	conf, err := cfg.Config(name)
	if err != nil {
		return nil, err
	}
	conf.Net.MaxOpenRequests = 1
	conf.Net.ReadTimeout = 15 * time.Second // longer than a broker waits for its replicas
	producer := &conf.Producer
	producer.Idempotent = true
	producer.RequiredAcks = sarama.WaitForAll
	producer.Partitioner = sarama.NewManualPartitioner
	producer.Retry.Max = publishRetries
	producer.Return.Successes = true
	producer.Return.Errors = true
	if err := conf.Validate(); err != nil {
		return nil, err
	}
	return conf, nil
}

// start has run begin, whatever becomes of ctx. The caller closes the publisher.
func (p *publisher) start(ctx context.Context, cities []string) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p.stop, p.ended = cancel, make(chan struct{})
	go func() {
		defer close(p.ended)
		p.run(ctx, cities)
	}()
}

// run connects, makes sure that the topic is there, and does so again when it seems to be gone, until ctx ends.
// cities are the topics whose number of partitions the alert topic is to have.
func (p *publisher) run(ctx context.Context, cities []string) {
	loop := p.rt.Health.Loop("alert topic")
	defer loop.Done()
	p.cannotBegin("the log says why")
	client, err := kafka.Connect(ctx, p.cfg.Settings, p.conf, p.rt.Log, loop.Tick)
	if err != nil {
		return // ctx has ended
	}
	p.client = client
	if p.prepare(ctx, cities, loop.Tick) != nil {
		return
	}
	trouble := kafka.Trouble{
		Log: p.rt.Log, Config: p.conf,
		Failing: "the brokers give no producer id for the alert topic, trying again", Settled: "the producer of the alert topic is ready",
		Status: p.cannotBegin,
	}
	p.producer, err = kafka.Persist(ctx, trouble, loop.Tick, closeProducer, func() (sarama.SyncProducer, error) {
		return sarama.NewSyncProducerFromClient(client)
	})
	if err != nil {
		return
	}
	p.setting.Clear()
	close(p.opened)
	p.keep(ctx, cities, loop)
}

// cannotBegin says why nothing can be published yet.
func (p *publisher) cannotBegin(reason string) {
	p.setting.Fail("the alert topic " + p.topic + " cannot be published to yet: " + reason)
}

func closeProducer(producer sarama.SyncProducer) { _ = producer.Close() }

// keep makes the topic again when it seems to be gone.
func (p *publisher) keep(ctx context.Context, cities []string, loop *service.Loop) {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for {
		select {
		case <-p.missing:
			if p.prepare(ctx, cities, loop.Tick) != nil {
				return
			}
		case <-tick.C:
			loop.Tick()
		case <-ctx.Done():
			return
		}
	}
}

// prepare makes sure that the topic exists, with as many partitions as the cities have. Its error is ctx's.
func (p *publisher) prepare(ctx context.Context, cities []string, tick func()) error {
	if err := kafka.WaitForTopics(ctx, p.client, cities, p.rt.Log, tick, func(string) {}); err != nil {
		return err
	}
	topics := kafka.Topics{Names: []string{p.topic}, Like: cities}
	select {
	case <-p.opened: // what is published from now on says itself how that goes
	default:
		topics.Status = p.cannotBegin
	}
	return topics.Ensure(ctx, p.client, p.rt.Log, tick)
}

// send returns when the alert topic has acknowledged the messages, or the indices of those that it has not,
// and why.
func (p *publisher) send(ctx context.Context, tick func(), messages []*sarama.ProducerMessage) (map[int]bool, error) {
	if !p.wait(ctx, tick) {
		return unsentOf(messages, ctx.Err())
	}
	_, err := kafka.Await(ctx, tick, nil, func() (struct{}, error) {
		return struct{}{}, p.producer.SendMessages(messages)
	})
	unsent, err := unsentOf(messages, err)
	if errors.Is(err, sarama.ErrInvalidPartition) {
		p.count(ctx, tick)
	}
	return unsent, err
}

// unsentOf tells by the error of SendMessages which of the messages, by their indices, which are their Metadata, were not
// acknowledged, and why.
func unsentOf(messages []*sarama.ProducerMessage, err error) (map[int]bool, error) {
	if err == nil {
		return nil, nil
	}
	unsent := make(map[int]bool, len(messages))
	var some sarama.ProducerErrors
	if errors.As(err, &some) && len(some) > 0 {
		for _, e := range some {
			unsent[e.Msg.Metadata.(int)] = true
		}
		return unsent, some[0].Err
	}
	for i := range messages {
		unsent[i] = true
	}
	return unsent, err
}

// count learns how many partitions the alert topic has by now: the client itself would ask again after half a minute.
func (p *publisher) count(ctx context.Context, tick func()) {
	_, _ = kafka.Await(ctx, tick, nil, func() (struct{}, error) { return struct{}{}, p.client.RefreshMetadata(p.topic) })
}

// wait waits for the producer.
func (p *publisher) wait(ctx context.Context, tick func()) bool {
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	for {
		select {
		case <-p.opened:
			return true
		case <-ticker.C:
			tick()
		case <-ctx.Done():
			return false
		}
	}
}

// Close gives up what is in flight. What was acknowledged is safe, and the rest is not committed. It may have to wait
// for brokers: see kafka.CloseSoon.
func (p *publisher) Close() error {
	p.stop()
	<-p.ended
	return closeBoth(p.producer, p.client)
}

// closeBoth closes a producer and then its client, of which there may be neither.
func closeBoth(producer sarama.SyncProducer, client sarama.Client) error {
	if producer != nil {
		_ = producer.Close()
	}
	if client == nil {
		return nil
	}
	return client.Close()
}
