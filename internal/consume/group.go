// Package consume is the consumer-group loop that influx-ingest and
// laundering-detector share: joining and joining again, what is marked and
// committed, how far each claim has come, and what that says of readiness.
//
// A Handler gives the records their meaning.
package consume

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"

	"fintrans/internal/backoff"
	"fintrans/internal/kafka"
	"fintrans/internal/service"
)

// retry are the pauses before a member joins or commits again.
var retry = backoff.Bounds{First: 250 * time.Millisecond, Max: 4 * time.Second}

// Handler gives the records of a session their meaning.
type Handler interface {
	// Setup is called when the member has been given its claims, before any is consumed.
	Setup(s *Session) error
	// Consume reads one claim until its messages end or the session's context
	// does, and marks what is done. What it returns ends the session.
	Consume(s *Session, c *Claim) error
	// Cleanup is called after the last claim has returned, before the last commit.
	Cleanup(s *Session)
}

// Config says which group reads what, and through which connections.
type Config struct {
	Group  string
	Topics []string
	// Prefix of the metrics' names, e.g. "influx_ingest".
	Prefix string
	// Name tells a second group of the same service from its first: the names of its loops and of its
	// reasons not to be ready begin with it. Empty for the first.
	Name string
	// Patience is for how long topics may be missing before that is a reason not to be ready; 0: at once.
	Patience time.Duration
	Runtime  *service.Runtime
	Clients  // Run closes them but the probe
}

// Group is a member of a consumer group. Create it with New, then Run it once.
type Group struct {
	cfg      Config
	members  sarama.ConsumerGroup
	tracker  *tracker
	loop     *service.Loop
	throttle *service.Throttle
	errors   prometheus.Counter
	sessions prometheus.Counter
	joined   *service.Condition
	topics   *service.Condition            // are missing
	fetcher  atomic.Pointer[kafka.Fetcher] // of the session
	last     outcome
	drainBy  atomic.Int64 // when a drain has to be over, in unix ns
}

// New joins nothing yet: it prepares the group and registers its metrics and checks.
func New(cfg Config) (*Group, error) {
	members, err := sarama.NewConsumerGroupFromClient(cfg.Group, cfg.Client)
	if err != nil {
		return nil, fmt.Errorf("consumer group %q: %w", cfg.Group, err)
	}
	g := &Group{
		cfg:      cfg,
		members:  members,
		tracker:  newTracker(cfg),
		loop:     cfg.loop("group"),
		throttle: service.NewThrottle(10 * time.Second),
		errors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: cfg.Prefix + "_kafka_errors_total",
			Help: "Errors of the consumer group: failed fetches, commits and joins.",
		}),
		sessions: prometheus.NewCounter(prometheus.CounterOpts{
			Name: cfg.Prefix + "_sessions_total",
			Help: "Sessions of the consumer group: one more at each rebalance.",
		}),
		joined: service.NewCondition(60 * time.Second),
		topics: service.NewCondition(cfg.Patience),
	}
	cfg.Runtime.Metrics.MustRegister(g.errors, g.sessions, g.tracker)
	g.topics.Fail("not looked for yet")
	cfg.Runtime.Ready.Check(cfg.named("topics"), g.topics.Reason)
	g.outside()
	cfg.Runtime.Ready.Check(cfg.named("group"), g.joined.Reason)
	cfg.Runtime.Ready.Check(cfg.named("lag"), g.tracker.stuck)
	return g, nil
}

// outside notes that the member has no session: without claims, no lag tells that nothing is done.
func (g *Group) outside() { g.joined.Fail(g.notIn()) }

func (g *Group) notIn() string { return "this member is not in the consumer group " + g.cfg.Group }

// named is the name of a loop or of a reason not to be ready.
func (c Config) named(what string) string {
	if c.Name == "" {
		return what
	}
	return c.Name + " " + what
}

func (c Config) loop(what string) *service.Loop { return c.Runtime.Health.Loop(c.named(what)) }

// Pause stops fetching of one partition, Resume goes on with it.
func (g *Group) Pause(topic string, partition int32) {
	if f := g.fetcher.Load(); f != nil {
		f.Pause(topic, partition)
	}
}

// Resume goes on with a partition that Pause stopped.
func (g *Group) Resume(topic string, partition int32) {
	if f := g.fetcher.Load(); f != nil {
		f.Resume(topic, partition)
	}
}

// Run consumes until ctx ends and then drains: every claim returns, its marks
// are committed, the member leaves the group. No error of Kafka's ends it
// before. The error names what will be read again because it was not
// committed within the time that is left for a drain.
func (g *Group) Run(ctx context.Context, h Handler) error {
	defer g.loop.Done()
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	go g.logErrors()
	go g.tracker.run(background)

	context.AfterFunc(ctx, func() { g.drainDeadline() })

	drained := make(chan struct{})
	go func() {
		defer close(drained)
		g.consume(ctx, h)
		if err := g.confirmLast(); err != nil {
			g.last.set(err)
		}
		if err := g.members.Close(); err != nil {
			g.cfg.Runtime.Log.WithError(err).Warn("leaving the consumer group")
		}
		g.cfg.Clients.Close() // sarama leaves a client that it was given open
	}()
	if !g.await(ctx, drained) {
		return g.cutShort()
	}
	return g.last.get()
}

// cutShort says what a drain that has taken too long leaves undone: perhaps nothing. A member that waits to be let
// into its group, for one that was killed to be missed, has dealt with nothing and cannot leave either.
func (g *Group) cutShort() error {
	if undone := g.tracker.uncommitted(); undone != "" {
		return fmt.Errorf("the drain did not end within %v: %s", service.DrainBudget, undone)
	}
	g.cfg.Runtime.Log.WithField("within", service.DrainBudget.String()).
		Warn("the consumer group could not be left: its brokers have to miss this member. Nothing that it dealt with is uncommitted")
	return g.last.get()
}

// drainDeadline is when a drain has to be over. The first call begins it.
func (g *Group) drainDeadline() time.Time {
	g.drainBy.CompareAndSwap(0, time.Now().Add(service.DrainBudget).UnixNano())
	return time.Unix(0, g.drainBy.Load())
}

// await ticks until the drain is done, or has taken too long.
func (g *Group) await(ctx context.Context, drained <-chan struct{}) bool {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	var deadline <-chan time.Time
	ended := ctx.Done()
	for {
		select {
		case <-drained:
			return true
		case <-deadline:
			return false
		case <-ended:
			ended = nil
			timer := time.NewTimer(service.DrainBudget)
			defer timer.Stop()
			deadline = timer.C
		case <-tick.C:
			g.loop.Tick()
		}
	}
}

// consume joins again and again until ctx ends.
func (g *Group) consume(ctx context.Context, h Handler) {
	for failures := 0; ctx.Err() == nil; {
		err := g.waitForTopics(ctx)
		if err == nil {
			err = g.session(ctx, h)
		}
		switch {
		case ctx.Err() != nil, errors.Is(err, sarama.ErrClosedConsumerGroup):
			return
		case err == nil: // a rebalance: join again
			failures = 0
			continue
		}
		failures++
		g.cannotJoin(err)
		_ = g.loop.Sleep(ctx, retry.Pause(failures))
	}
}

// session joins and consumes until the session ends: with a rebalance, with ctx, or because a topic was replaced.
func (g *Group) session(ctx context.Context, h Handler) error {
	one, end := context.WithCancel(ctx)
	defer end()
	err := g.members.Consume(one, g.cfg.Topics, &adapter{group: g, handler: h, draining: ctx, end: end})
	if one.Err() != nil && ctx.Err() == nil {
		return nil // join again
	}
	return err
}

// cannotJoin notes why the member has no session, and says so now and then.
func (g *Group) cannotJoin(err error) {
	g.errors.Inc()
	reason := kafka.Explain(fmt.Errorf("consumer group %s: %w", g.cfg.Group, err), g.cfg.Client.Config())
	g.joined.Fail(g.notIn() + ": " + reason)
	if held, ok := g.throttle.Allow("join"); ok {
		g.cfg.Runtime.Log.WithFields(logrus.Fields{"reason": reason, "held_back": held}).Warn("consumer group: joining again")
	}
}

func (g *Group) waitForTopics(ctx context.Context) error {
	return kafka.WaitForTopics(ctx, g.cfg.Probe, g.cfg.Topics, g.cfg.Runtime.Log, g.loop.Tick,
		func(reason string) {
			if reason == "" {
				g.topics.Clear()
			} else {
				g.topics.Fail(reason)
			}
		})
}

// logErrors drains the group's errors until the group is closed. What a claim
// returns appears only here.
func (g *Group) logErrors() {
	for err := range g.members.Errors() {
		key := "error"
		var of *sarama.ConsumerError
		if errors.As(err, &of) {
			key = of.Topic + " " + of.Err.Error()
		}
		g.failed(key, err)
	}
}

func (g *Group) failed(key string, err error) {
	g.errors.Inc()
	if held, ok := g.throttle.Allow(key); ok {
		g.cfg.Runtime.Log.WithFields(logrus.Fields{
			"reason": kafka.Explain(err, g.cfg.Client.Config()), "held_back": held,
		}).Warn("consumer group")
	}
}

// newFetcher returns what brings the records of a session.
func (g *Group) newFetcher() *kafka.Fetcher {
	return kafka.NewFetcher(g.cfg.Fetch, func(topic string, partition int32, err error) {
		if !kafka.LeaderMoved(err) { // that is nobody's fault
			g.failed(topic+" "+err.Error(), fmt.Errorf("fetch %s/%d: %w", topic, partition, err))
		}
	})
}
