package main

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/IBM/sarama"
	"github.com/sirupsen/logrus"

	"fintrans/internal/kafka"
	"fintrans/internal/service"
	"fintrans/internal/transaction"
)

const (
	// produceRetries is how often a batch is tried while its broker answers but
	// refuses, for want of replicas for instance: for about two hours. sarama
	// keeps 32 bytes for each of them and each partition.
	produceRetries = 4000
	maxBackoff     = 2 * time.Second
	// flushAfter is longer than it takes to make the transactions of a minPause.
	flushAfter = time.Millisecond
)

// link is the connection that transactions are sent on.
type link struct {
	client   sarama.Client
	producer sarama.AsyncProducer
	giveUp   context.CancelFunc // ends the client's patience
}

// connect waits for Kafka, makes sure that the topics are there, and opens a
// producer. Its error is ctx's, or that of a setting.
func connect(ctx context.Context, cfg config, rt *service.Runtime) (*link, error) {
	loop := rt.Health.Loop("connect")
	defer loop.Done()
	rt.Ready.Set("broker", "no broker was reached yet: "+cfg.Broker.String())
	rt.Ready.Set("topics", "not looked for yet")
	cfg.LogEffective(rt.Log)
	if err := prepareTopics(ctx, cfg, rt, loop.Tick); err != nil {
		return nil, err
	}
	conf, err := producerConfig(cfg.Settings)
	if err != nil {
		return nil, err
	}
	trouble := kafka.Trouble{
		Log: rt.Log, Config: conf,
		Failing: "the brokers give no producer id, trying again", Settled: "the producer is ready",
		Status: func(reason string) { rt.Ready.Set("producer", "the brokers give no producer id: "+reason) },
	}
	opened, err := kafka.Persist(ctx, trouble, loop.Tick, (*link).close, func() (*link, error) {
		return open(cfg.Broker, conf, rt.Log)
	})
	if err == nil {
		rt.Ready.Set("producer", "")
	}
	return opened, err
}

func open(brokers []string, conf *sarama.Config, log logrus.FieldLogger) (*link, error) {
	client, err := sarama.NewClient(brokers, conf)
	if err != nil {
		return nil, err
	}
	// Not the service's context: what is in flight at its end is still to be delivered.
	ctx, giveUp := context.WithCancel(context.Background())
	producer, err := sarama.NewAsyncProducerFromClient(patient{client, ctx, log})
	if err != nil {
		giveUp()
		_ = client.Close()
		return nil, err
	}
	return &link{client: client, producer: producer, giveUp: giveUp}, nil
}

// close gives up what is in flight.
func (l *link) close() {
	l.giveUp()
	_ = l.producer.Close()
	_ = l.client.Close()
}

// prepareTopics creates what is missing and waits until every partition can be written to.
func prepareTopics(ctx context.Context, cfg config, rt *service.Runtime, tick func()) error {
	conf, err := cfg.Config(name)
	if err != nil {
		return err
	}
	client, err := kafka.Connect(ctx, cfg.Settings, conf, rt.Log, tick)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	rt.Ready.Set("broker", "")
	status := func(reason string) { rt.Ready.Set("topics", reason) }
	topics := kafka.Topics{Names: transaction.Cities(), Status: status}
	if err := topics.Ensure(ctx, client, rt.Log, tick); err != nil {
		return err
	}
	return kafka.WaitForTopics(ctx, client, transaction.Cities(), rt.Log, tick, status)
}

// producerConfig is the configuration of a producer that neither loses nor
// repeats: acknowledged by all in-sync replicas, numbered so that brokers
// recognise what they already have, and tried again for as long as it takes. A
// batch that is given up may or may not have been written, so giving up is to
// be avoided: while brokers are away the producer stands still instead. See also
// patient.
//
// Records wait for flushAfter, so that those that are due together go in one
// request: else the first would go alone and the others in a second one, which
// costs the brokers and every consumer as much as the first.
func producerConfig(s kafka.Settings) (*sarama.Config, error) {
	conf, err := s.Config(name)
	if err != nil {
		return nil, err
	}
	conf.Net.MaxOpenRequests = 1
	producer := &conf.Producer
	producer.Idempotent = true
	producer.RequiredAcks = sarama.WaitForAll
	producer.Partitioner = sarama.NewHashPartitioner // as transaction.Partition
	producer.Retry.Max = produceRetries
	producer.Retry.BackoffFunc = retryBackoff
	producer.Flush.Frequency = flushAfter
	producer.Return.Successes = true
	producer.Return.Errors = true
	if err := conf.Validate(); err != nil {
		return nil, err
	}
	return conf, nil
}

// retryBackoff doubles from 50 ms to 2 s, with jitter.
func retryBackoff(retries, _ int) time.Duration {
	backoff := min(maxBackoff, 50*time.Millisecond<<min(retries, 10))
	return backoff/2 + rand.N(backoff/2+1)
}
