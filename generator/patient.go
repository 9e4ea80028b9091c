package main

import (
	"context"
	"time"

	"github.com/IBM/sarama"
	"github.com/sirupsen/logrus"
)

// patient is a client for a producer that must not give up. When sarama's
// producer is told that a partition has no leader, or how many partitions a topic
// has cannot be found out, it gives up the records at hand, although they may
// have been written. A patient client does not tell: it asks until it knows, and
// the producer stands still meanwhile, with its records and their sequence numbers.
type patient struct {
	sarama.Client
	ctx context.Context // ends the patience
	log logrus.FieldLogger
}

// Leader returns the partition's leader as soon as there is one.
func (p patient) Leader(topic string, partition int32) (*sarama.Broker, error) {
	return persevere(p, topic, func() (*sarama.Broker, error) { return p.Client.Leader(topic, partition) })
}

// Partitions returns the numbers of the topic's partitions as soon as they are known.
func (p patient) Partitions(topic string) ([]int32, error) {
	return persevere(p, topic, func() ([]int32, error) { return p.Client.Partitions(topic) })
}

// RefreshMetadata tries once and hides a failure: what is then missing is found
// missing by Leader, and what is out of date by the broker that is asked.
func (p patient) RefreshMetadata(topics ...string) error {
	if err := p.Client.RefreshMetadata(topics...); err != nil {
		p.log.WithField("reason", err.Error()).Debug("metadata cannot be refreshed")
	}
	return nil
}

// persevere asks until there is an answer, the client is closed or the patience ends.
func persevere[T any](p patient, topic string, ask func() (T, error)) (T, error) {
	for retries := 0; ; retries++ {
		answer, err := ask()
		if err == nil || p.ctx.Err() != nil || p.Closed() {
			return answer, err
		}
		p.log.WithFields(logrus.Fields{"topic": topic, "reason": err.Error()}).Debug("no leader yet")
		timer := time.NewTimer(retryBackoff(retries, 0))
		select {
		case <-timer.C:
		case <-p.ctx.Done():
			timer.Stop()
		}
	}
}
