package main

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"

	"fintrans/internal/produce"
	"fintrans/internal/service"
)

// ackPatience is how long the brokers may owe every acknowledgement before the
// service counts as not ready.
const ackPatience = 30 * time.Second

// acks counts what becomes of what was sent.
type acks struct {
	*counts
	log      *logrus.Logger
	producer producer
	explain  func(error) string
	failing  *service.Throttle

	owedSince atomic.Int64  // unix nanoseconds of the last acknowledgement, or of the first sending after all were there
	changed   chan struct{} // gets something after each change
}

func newAcks(log *logrus.Logger, c *counts, p producer, explain func(error) string) *acks {
	return &acks{
		counts: c, log: log, producer: p, explain: explain, failing: service.NewThrottle(ackPatience),
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

// run handles the batches that the producer has settled until stop is closed.
func (a *acks) run(stop <-chan struct{}, tick func()) {
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	for n := 0; ; n++ {
		if n%tickBatch == 0 {
			tick()
		}
		select {
		case b := <-a.producer.Settled():
			a.settle(b)
		case <-ticker.C:
			tick()
			a.complain()
		case <-stop:
			return
		}
	}
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

// settle counts a batch and makes room for as many.
func (a *acks) settle(b *produce.Batch) {
	n := int64(b.Len())
	if b.Err != nil {
		a.failure(b)
	} else {
		a.success(b)
	}
	a.producer.Release(b)
	// After the counts and after there is room, so that whoever sees nothing in
	// flight sees all of it.
	a.inFlight.Add(-n)
	select {
	case a.changed <- struct{}{}:
	default:
	}
}

func (a *acks) success(b *produce.Batch) {
	now := time.Now()
	a.sent[b.Topic].Add(int64(b.Len()))
	a.volume[b.Topic].Add(b.Amount)
	for _, at := range b.Times {
		a.acknowledged.Observe(now.Sub(at).Seconds())
	}
	a.batches.Observe(float64(b.Len()))
	a.owedSince.Store(now.UnixNano())
}

func (a *acks) failure(b *produce.Batch) {
	a.failed.Add(int64(b.Len()))
	if heldBack, ok := a.failing.Allow("failed"); ok {
		a.log.WithFields(logrus.Fields{
			"topic": b.Name, "partition": b.Partition, "transactions": b.Len(), "reason": b.Err.Error(), "more": heldBack,
		}).Error("transactions were given up: they may or may not be in Kafka")
	}
}

// reason tells /ready why transactions do not get through, "" when they do.
func (a *acks) reason() string {
	open := a.inFlight.Load()
	if open == 0 {
		return ""
	}
	owed := time.Since(time.Unix(0, a.owedSince.Load()))
	if owed < ackPatience {
		return ""
	}
	reason := fmt.Sprintf("no acknowledgement for %s, %d transactions in flight", owed.Round(time.Second), open)
	if trouble := a.producer.Trouble(); trouble != nil {
		reason += ": " + a.explain(trouble)
	}
	return reason
}
