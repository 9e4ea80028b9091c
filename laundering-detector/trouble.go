package main

import (
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/IBM/sarama"
	"github.com/sirupsen/logrus"

	"fintrans/internal/kafka"
	"fintrans/internal/service"
)

// newTrouble is what counts against readiness once it has lasted.
func newTrouble() *service.Condition { return service.NewCondition(30 * time.Second) }

// hold notes that the alerts of a partition number have to wait, and says so now and then.
func (p *publisher) hold(partition int32, waiting int, err error) {
	p.retries()
	reason := p.explain(partition, err)
	p.mu.Lock()
	if p.trouble[partition] == nil {
		p.trouble[partition] = newTrouble()
	}
	p.trouble[partition].Fail(reason)
	p.mu.Unlock()
	if errors.Is(err, sarama.ErrUnknownTopicOrPartition) {
		signal(p.missing)
	}
	if held, ok := p.throttle.Allow(reason); ok {
		p.rt.Log.WithFields(logrus.Fields{
			"topic": p.topic, "partition": partition, "reason": reason, "waiting": waiting, "held_back": held,
		}).Warn("alerts cannot be published: they are written to standard output, and commits wait")
	}
}

// explain says why a partition of the alert topic takes nothing.
func (p *publisher) explain(partition int32, err error) string {
	switch {
	case errors.Is(err, sarama.ErrInvalidPartition):
		return fmt.Sprintf("the alert topic %s has no partition %d: add partitions until it has as many as the cities' topics", p.topic, partition)
	case errors.Is(err, sarama.ErrUnknownTopicOrPartition):
		return fmt.Sprintf("the alert topic %s is not there", p.topic)
	}
	return fmt.Sprintf("the alert topic %s takes nothing: %s", p.topic, kafka.Explain(err, p.conf))
}

// published notes that the partition number's alerts get through.
func (p *publisher) published(partition int32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.trouble[partition] == nil {
		return
	}
	delete(p.trouble, partition)
	p.rt.Log.WithFields(logrus.Fields{"topic": p.topic, "partition": partition}).Info("alerts are published again")
}

// release forgets the trouble of a session that is over.
func (p *publisher) release() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.trouble)
}

// reason is why alerts are not published, for /ready.
func (p *publisher) reason() string {
	if reason := p.setting.Reason(); reason != "" {
		return reason
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var reasons []string
	for _, condition := range p.trouble {
		if reason := condition.Reason(); reason != "" {
			reasons = append(reasons, reason)
		}
	}
	if len(reasons) == 0 {
		return ""
	}
	sort.Strings(reasons)
	if more := len(reasons) - 1; more > 0 {
		return fmt.Sprintf("%s; and %d more partitions", reasons[0], more)
	}
	return strings.Join(reasons, "")
}
