package main

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"
	"github.com/sirupsen/logrus"

	"fintrans/internal/service"
)

// ackPatience is how long the brokers may owe every acknowledgement before the
// service counts as not ready.
const ackPatience = 30 * time.Second

// acks counts what becomes of what was sent.
type acks struct {
	*counts
	log     *logrus.Logger
	release func(*message) // gives a message back to be used again
	failing *service.Throttle

	owedSince atomic.Int64  // unix nanoseconds of the last acknowledgement, or of the first sending after all were there
	changed   chan struct{} // gets something after each change
	current   ackedBatch    // of the goroutine of run alone
}

// ackedBatch is what one produce request carried for one partition: sarama
// reports its messages one after the other, with offsets that follow each other.
type ackedBatch struct {
	topic     string
	partition int32
	next      int64 // offset that would follow
	messages  int
}

func newAcks(log *logrus.Logger, c *counts, release func(*message)) *acks {
	return &acks{
		counts: c, log: log, release: release, failing: service.NewThrottle(ackPatience),
		changed: make(chan struct{}, 1),
	}
}

// sending notes that one more is in flight.
func (a *acks) sending() {
	if a.inFlight.Add(1) == 1 {
		a.owedSince.Store(time.Now().UnixNano())
	}
}

// unsent takes a sending back.
func (a *acks) unsent() { a.inFlight.Add(-1) }

// run handles what the producer reports until it has closed.
func (a *acks) run(p producer, tick func()) {
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	successes, errors := p.Successes(), p.Errors()
	for n := 0; successes != nil || errors != nil; n++ {
		if n%tickBatch == 0 {
			tick()
		}
		select {
		case m, ok := <-successes:
			if !ok {
				successes = nil
				continue
			}
			a.batch(m)
			a.success(m.Metadata.(*message))
		case e, ok := <-errors:
			if !ok {
				errors = nil
				continue
			}
			a.failure(e.Msg.Metadata.(*message), e.Err)
		case <-ticker.C:
			tick()
			a.complain()
		}
	}
}

// batch measures how many transactions go together.
func (a *acks) batch(m *sarama.ProducerMessage) {
	b := &a.current
	if b.messages > 0 && (m.Topic != b.topic || m.Partition != b.partition || m.Offset != b.next) {
		a.batches.Observe(float64(b.messages))
		b.messages = 0
	}
	b.topic, b.partition, b.next = m.Topic, m.Partition, m.Offset+1
	b.messages++
}

// complain logs, at times, that the brokers owe acknowledgements.
func (a *acks) complain() {
	reason := a.reason()
	if reason == "" {
		return
	}
	if _, ok := a.failing.Allow("owed"); ok {
		a.log.WithField("reason", reason).Warn("the brokers do not acknowledge, waiting for them")
	}
}

func (a *acks) success(m *message) {
	now := time.Now()
	a.sent[m.city].Add(1)
	a.volume[m.city].Add(int64(m.Amount))
	a.acknowledged.Observe(now.Sub(m.sentAt).Seconds())
	a.owedSince.Store(now.UnixNano())
	a.settle(m)
}

func (a *acks) failure(m *message, err error) {
	a.failed.Add(1)
	if heldBack, ok := a.failing.Allow("failed"); ok {
		a.log.WithFields(logrus.Fields{
			"topic": m.Topic, "partition": m.Partition, "reason": err.Error(), "more": heldBack,
		}).Error("a transaction was given up: it may or may not be in Kafka")
	}
	a.settle(m)
}

func (a *acks) settle(m *message) {
	a.release(m)
	// After the counts and after the message is free, so that whoever sees
	// nothing in flight sees all of it.
	a.inFlight.Add(-1)
	select {
	case a.changed <- struct{}{}:
	default:
	}
}

// reason tells /ready why transactions do not get through, "" when they do.
func (a *acks) reason() string {
	open := a.inFlight.Load()
	if open == 0 {
		return ""
	}
	if owed := time.Since(time.Unix(0, a.owedSince.Load())); owed >= ackPatience {
		return fmt.Sprintf("no acknowledgement for %s, %d transactions in flight", owed.Round(time.Second), open)
	}
	return ""
}
