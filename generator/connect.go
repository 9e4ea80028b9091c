package main

import (
	"context"

	"github.com/IBM/sarama"
	"github.com/sirupsen/logrus"

	"fintrans/internal/kafka"
	"fintrans/internal/produce"
	"fintrans/internal/service"
	"fintrans/internal/transaction"
)

// link is the connection that transactions are sent on.
type link struct {
	client   sarama.Client
	producer *produce.Producer
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
	producer, err := produce.Open(client, cities, maxInFlight, log)
	if err != nil {
		kafka.CloseSoon(client)
		return nil, err
	}
	return &link{client, producer}, nil
}

// close gives up what is in flight, without waiting for brokers that are away:
// the time for draining is over.
func (l *link) close() {
	l.producer.Close()
	kafka.CloseSoon(l.client)
}

// explain says what an error of the producer means.
func (l *link) explain(err error) string { return kafka.Explain(err, l.client.Config()) }

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
	defer kafka.CloseSoon(client)
	rt.Ready.Set("broker", "")
	status := func(reason string) { rt.Ready.Set("topics", reason) }
	topics := kafka.Topics{Names: transaction.Cities(), Status: status}
	if err := topics.Ensure(ctx, client, rt.Log, tick); err != nil {
		return err
	}
	return kafka.WaitForTopics(ctx, client, transaction.Cities(), rt.Log, tick, status)
}

// producerConfig is the configuration of a producer that neither loses nor
// repeats: acknowledged by all in-sync replicas, and numbered so that brokers
// recognise what they already have.
func producerConfig(s kafka.Settings) (*sarama.Config, error) {
	conf, err := s.Config(name)
	if err != nil {
		return nil, err
	}
	conf.Net.MaxOpenRequests = 1
	conf.Producer.Idempotent = true
	conf.Producer.RequiredAcks = sarama.WaitForAll
	if err := conf.Validate(); err != nil {
		return nil, err
	}
	return conf, nil
}
