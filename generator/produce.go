package main

import (
	"context"
	"fmt"
	"time"

	"github.com/sirupsen/logrus"

	"fintrans/internal/produce"
	"fintrans/internal/service"
)

const (
	// maxInFlight bounds what is sent and not acknowledged, and with it the
	// memory. One half is made while the other is under way.
	maxInFlight = 16384
	// flushEvery is how many transactions go together where there is no pause
	// between them.
	flushEvery = maxInFlight / 2
	// drainTime leaves some of the service's budget for closing.
	drainTime = service.DrainBudget - 500*time.Millisecond
	// tickEvery is how often a waiting loop says that it is alive.
	tickEvery = 500 * time.Millisecond
	// tickBatch is how many transactions, or batches, a loop that does not wait
	// handles between two ticks: a fraction of a second's worth.
	tickBatch = 512
)

// producer is what the generator needs of a produce.Producer.
type producer interface {
	Append(topic int, r *produce.Record) bool
	Flush()
	Settled() <-chan *produce.Batch
	Release(b *produce.Batch)
	Trouble() error
	Close()
}

// generator sends the transactions of a plan and counts what is acknowledged.
type generator struct {
	cfg      config
	plan     *plan
	pace     pace
	producer producer
	log      *logrus.Logger
	health   *service.Health
	acks     *acks

	message    message // of the transaction at hand
	handedOver int64   // transactions given to the producer
}

// newGenerator makes a generator that sends by way of p, and for /ready has p's troubles explained.
func newGenerator(cfg config, p producer, explain func(error) string, rt *service.Runtime) *generator {
	seed := cfg.seed()
	rt.Log.WithFields(logrus.Fields{
		"seed": seed, "wait": cfg.GenWaitSec.Duration().String(), "count": uint64(cfg.GenCount), "accounts": uint64(cfg.GenAccounts),
	}).Info("sending transactions")
	g := &generator{
		cfg: cfg, plan: newPlan(cfg.plan(seed)), pace: pace{wait: cfg.GenWaitSec.Duration()},
		producer: p, log: rt.Log, health: rt.Health,
		acks: newAcks(rt.Log, newCounts(rt.Metrics), p, explain),
	}
	rt.Ready.Check("acknowledgements", g.acks.reason)
	return g
}

// run sends until the count is reached or ctx ends, waits for what is under way
// and closes the producer. Its error says what was not acknowledged in time.
func (g *generator) run(ctx context.Context) error {
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		loop := g.health.Loop("acknowledge")
		defer loop.Done()
		g.acks.run(stop, loop.Tick)
	}()
	loop := g.health.Loop("produce")
	defer loop.Done()
	g.send(ctx, loop.Tick)
	err := g.drain(ctx, loop.Tick)
	g.producer.Close()
	close(stop)
	<-stopped
	if err != nil {
		return err
	}
	if failed := g.acks.failed.Load(); failed > 0 {
		return fmt.Errorf("%d of %d transactions were given up: they may or may not be in Kafka; the log above says why", failed, g.handedOver)
	}
	return nil
}

// send produces until ctx ends or as many as wanted are acknowledged.
func (g *generator) send(ctx context.Context, tick func()) {
	for ctx.Err() == nil {
		if g.enough() {
			// What fails now has to be replaced, so the end is when nothing is under way.
			if g.acks.inFlight.Load() == 0 && g.enough() {
				return
			}
			g.producer.Flush()
			wait(ctx, g.acks.changed, tick)
			continue
		}
		now := time.Now()
		if delay := g.pace.delay(now); delay > 0 {
			g.producer.Flush() // what was due together goes together, and at once
			pause(ctx, delay, tick)
			continue
		}
		g.message.fill(g.plan.next(), now)
		if !g.handOver(ctx, tick) {
			return
		}
		g.pace.done()
	}
}

// enough tells whether as many transactions are sent as were asked for, those
// that failed aside.
func (g *generator) enough() bool {
	return g.cfg.GenCount != 0 && uint64(g.handedOver-g.acks.failed.Load()) >= uint64(g.cfg.GenCount)
}

// handOver gives the transaction at hand to the producer, as soon as there is
// room in flight. It is false when ctx ends first.
func (g *generator) handOver(ctx context.Context, tick func()) bool {
	for !g.append() {
		g.producer.Flush()
		wait(ctx, g.acks.changed, tick)
		if ctx.Err() != nil {
			return false
		}
		g.message.Time = time.Now()
	}
	g.handedOver++
	g.acks.rings.Store(int64(g.plan.rings))
	if g.handedOver%flushEvery == 0 {
		g.producer.Flush()
	}
	if g.handedOver%tickBatch == 0 {
		tick()
	}
	return true
}

// append is false when there is no room. The transaction counts as in flight
// before it is, as its acknowledgement may come at once.
func (g *generator) append() bool {
	g.acks.sending()
	if g.producer.Append(g.message.topic, &g.message.Record) {
		return true
	}
	g.acks.unsent()
	return false
}

// drain waits until everything that was sent is acknowledged or given up.
func (g *generator) drain(ctx context.Context, tick func()) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	g.producer.Flush()
	for g.acks.inFlight.Load() > 0 {
		if ctx.Err() != nil {
			return fmt.Errorf("%d of %d transactions were not acknowledged within %s: they may or may not be in Kafka",
				g.acks.inFlight.Load(), g.handedOver, drainTime)
		}
		wait(ctx, g.acks.changed, tick)
	}
	return nil
}

// logSummary says what was achieved.
func (g *generator) logSummary() {
	fields := logrus.Fields{"failed": g.acks.failed.Load()}
	total, volume := int64(0), int64(0)
	for i, city := range cities {
		n, v := g.acks.sent[i].Load(), g.acks.volume[i].Load()
		fields["sent_"+city], fields["volume_"+city] = n, v
		total, volume = total+n, volume+v
	}
	fields["sent"], fields["volume"] = total, volume
	g.log.WithFields(fields).Info("done sending")
}
