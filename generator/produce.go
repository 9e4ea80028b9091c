package main

import (
	"context"
	"fmt"
	"time"

	"github.com/IBM/sarama"
	"github.com/sirupsen/logrus"

	"fintrans/internal/service"
)

const (
	// maxInFlight bounds what is sent and not acknowledged, and with it the
	// memory. The brokers are busy with much less.
	maxInFlight = 8192
	// drainTime leaves some of the service's budget for closing.
	drainTime = service.DrainBudget - 500*time.Millisecond
	// tickEvery is how often a waiting loop says that it is alive.
	tickEvery = 500 * time.Millisecond
	// tickBatch is how many transactions a loop that does not wait handles
	// between two ticks: a fraction of a second's worth.
	tickBatch = 512
)

// producer is what the generator needs of a sarama.AsyncProducer.
type producer interface {
	Input() chan<- *sarama.ProducerMessage
	Successes() <-chan *sarama.ProducerMessage
	Errors() <-chan *sarama.ProducerError
	AsyncClose()
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

	handedOver int64         // transactions given to the producer
	made       int           // messages that exist
	free       chan *message // those that may be filled and sent
}

func newGenerator(cfg config, p producer, rt *service.Runtime) *generator {
	seed := cfg.seed()
	rt.Log.WithFields(logrus.Fields{
		"seed": seed, "wait": cfg.GenWaitSec.Duration().String(), "count": uint64(cfg.GenCount), "accounts": uint64(cfg.GenAccounts),
	}).Info("sending transactions")
	g := &generator{
		cfg: cfg, plan: newPlan(cfg.plan(seed)), pace: pace{wait: cfg.GenWaitSec.Duration()},
		producer: p, log: rt.Log, health: rt.Health,
		free: make(chan *message, maxInFlight),
	}
	g.acks = newAcks(rt.Log, newCounts(rt.Metrics), func(m *message) { g.free <- m })
	rt.Ready.Check("acknowledgements", g.acks.reason)
	return g
}

// run sends until the count is reached or ctx ends, waits for what is under way
// and closes the producer. Its error says what was not acknowledged in time.
func (g *generator) run(ctx context.Context) error {
	acksDone := make(chan struct{})
	go func() {
		defer close(acksDone)
		loop := g.health.Loop("acknowledge")
		defer loop.Done()
		g.acks.run(g.producer, loop.Tick)
	}()
	loop := g.health.Loop("produce")
	defer loop.Done()
	g.send(ctx, loop.Tick)
	if err := g.drain(ctx, loop.Tick); err != nil {
		return err
	}
	g.producer.AsyncClose()
	<-acksDone
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
			wait(ctx, g.acks.changed, tick)
			continue
		}
		if delay := g.pace.delay(time.Now()); delay > 0 {
			pause(ctx, delay, tick)
			continue
		}
		m := g.acquire(ctx, tick)
		if m == nil {
			return
		}
		m.fill(g.plan.next(), time.Now())
		if !g.handOver(ctx, m, tick) {
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

// acquire returns a message to fill, as soon as there is room in flight.
func (g *generator) acquire(ctx context.Context, tick func()) *message {
	if g.handedOver%tickBatch == 0 {
		tick()
	}
	if g.made < maxInFlight && len(g.free) == 0 {
		g.made++ // as they are needed: a slow generator never has many
		return new(message)
	}
	select {
	case m := <-g.free:
		return m
	default:
	}
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	for {
		select {
		case m := <-g.free:
			return m
		case <-ticker.C:
			tick()
		case <-ctx.Done():
			return nil
		}
	}
}

// handOver gives a message to the producer. It counts as in flight before, as
// its acknowledgement may come at once.
func (g *generator) handOver(ctx context.Context, m *message, tick func()) bool {
	g.acks.sending()
	select {
	case g.producer.Input() <- &m.ProducerMessage:
	default:
		if !g.handOverWaiting(ctx, m, tick) {
			g.acks.unsent()
			return false
		}
	}
	g.handedOver++
	g.acks.rings.Store(int64(g.plan.rings))
	return true
}

func (g *generator) handOverWaiting(ctx context.Context, m *message, tick func()) bool {
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	for {
		select {
		case g.producer.Input() <- &m.ProducerMessage:
			return true
		case <-ticker.C:
			tick()
		case <-ctx.Done():
			return false
		}
	}
}

// drain waits until everything that was sent is acknowledged or given up.
func (g *generator) drain(ctx context.Context, tick func()) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
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
