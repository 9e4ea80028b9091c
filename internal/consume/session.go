package consume

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/IBM/sarama"

	"fintrans/internal/kafka"
	"fintrans/internal/service"
)

// Session is one generation of the group: the claims that this member holds
// until the next rebalance.
type Session struct {
	sarama.ConsumerGroupSession
	group     *Group
	committer *committer
	fetcher   *kafka.Fetcher
	topics    map[string]kafka.Identity // as they were when it began; without those that have none
}

// Commit has all marks written to the broker. It does not wait for that, but
// for a commit that was asked for a third of a second ago and has not ended yet,
// unless ctx ends first: what is dealt with meanwhile is read again after a
// kill. A commit that fails is tried again with the next: its error is counted
// and logged, and the records are read again if none succeeds.
func (s *Session) Commit(ctx context.Context, tick func()) { s.committer.commit(ctx, tick) }

// Claimed is what the group knows of a claim.
type Claimed interface {
	Topic() string
	Partition() int32
	// InitialOffset is where the claim begins; negative: with the first record that the log holds.
	InitialOffset() int64
	// HighWaterMarkOffset is the end of the log as the last fetch told it.
	HighWaterMarkOffset() int64
}

// fetched is a claim whose records a feed brings. sarama's consumer of it stays paused.
type fetched struct {
	sarama.ConsumerGroupClaim
	feed *kafka.Feed
}

func (f fetched) HighWaterMarkOffset() int64 { return f.feed.HighWaterMark() }

// Claim is one partition of one topic for as long as the session lasts.
type Claim struct {
	Claimed
	batches <-chan *kafka.Batch
	session *Session
	loop    *service.Loop
	*progress
}

// Batches brings the records; each batch is to be released. It is closed when the log does not hold what is next. The
// end of the session does not close it.
func (c *Claim) Batches() <-chan *kafka.Batch { return c.batches }

// Tick tells /health that the claim's loop is alive.
func (c *Claim) Tick() { c.loop.Tick() }

// Done marks every record below next as dealt with; millis is the time of the
// last of them, or negative where it is not known. The next commit covers it.
func (c *Claim) Done(next, millis int64) {
	c.Good()
	c.Passed(next, millis)
	c.Mark(next)
}

// Passed is the first half of Done: the records below next are no lag any more,
// but a commit does not cover them. The second half is Mark.
func (c *Claim) Passed(next, millis int64) { c.passed(next, millis) }

// Mark is the second half of Done, perhaps much later and for less than what was passed.
func (c *Claim) Mark(next int64) {
	if c.InitialOffset() < 0 && !c.hasMoved.Load() {
		// The log does not have the committed offset: it may have been cut, or made anew. sarama
		// moves a mark only forward, and a commit that stays behind the end of the log would make
		// the next session skip what was not dealt with once the log has grown past it.
		c.session.reset(c.Topic(), c.Partition(), next)
	}
	c.session.Begin(c.Topic(), c.Partition(), next)
	c.mark(next)
}

// adapter makes a sarama handler of a Handler.
type adapter struct {
	group    *Group
	handler  Handler
	session  *Session
	draining context.Context // ended when the service drains, not when the session does
	end      func()          // ends the session
}

func (a *adapter) Setup(sess sarama.ConsumerGroupSession) error {
	g := a.group
	g.sessions.Inc()
	g.joined.Clear()
	g.tracker.forget()
	a.session = &Session{
		ConsumerGroupSession: sess, group: g, committer: newCommitter(sess, g.cfg.loop("commit")),
		fetcher: g.newFetcher(), topics: g.identities(),
	}
	g.cfg.Runtime.Log.WithField("claims", describe(sess.Claims())).
		WithField("generation", sess.GenerationID()).Info("session began")
	if err := a.session.leaveReplaced(); err != nil {
		return err
	}
	if topics := a.session.topics; len(topics) > 0 {
		go g.watchTopics(sess.Context(), topics, a.end)
	}
	if err := a.handler.Setup(a.session); err != nil {
		return err
	}
	g.fetcher.Store(a.session.fetcher)
	go a.session.fetcher.Run(sess.Context())
	return nil
}

func (a *adapter) ConsumeClaim(_ sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	loop := a.group.cfg.loop("claim " + claim.Topic() + "/" + itoa(claim.Partition()))
	defer loop.Done()
	// sarama's consumer waits for other claims for a tenth of a second before it fetches: this comes in time, as a rule.
	// Else it brings one batch, which nobody needs.
	a.group.members.Pause(map[string][]int32{claim.Topic(): {claim.Partition()}})
	go func() {
		for range claim.Messages() { // closed at the end of the session
		}
	}()
	feed := a.session.fetcher.Feed(claim.Topic(), claim.Partition(), claim.InitialOffset())
	of := fetched{claim, feed}
	c := &Claim{
		Claimed:  of,
		batches:  feed.Batches(),
		session:  a.session,
		loop:     loop,
		progress: a.group.tracker.add(of),
	}
	defer a.group.tracker.remove(c.progress)
	return a.handler.Consume(a.session, c)
}

func (a *adapter) Cleanup(sarama.ConsumerGroupSession) error {
	g := a.group
	a.handler.Cleanup(a.session)
	a.session.committer.stop()
	a.session.ConsumerGroupSession.Commit()
	if a.draining.Err() != nil {
		g.last.set(g.confirm(a.session)) // before the tracker forgets: see cutShort
		g.tracker.forget()
	} else {
		g.outside() // the tracker remembers the session until the next: see confirmLast
	}
	return nil
}

// outcome is what the last session of a drain came to.
type outcome struct {
	mu  sync.Mutex
	err error
}

func (o *outcome) set(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.err = err
}

func (o *outcome) get() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// confirm asks the broker whether it holds every mark of the session, and
// commits again while it does not: sarama does not say whether a commit failed.
func (g *Group) confirm(s *Session) error {
	deadline := g.drainDeadline().Add(-time.Second)
	for attempt := 1; ; attempt++ {
		committed, err := kafka.CommittedOffsets(g.cfg.Probe, g.cfg.Group, s.Claims())
		if err == nil {
			if err = g.tracker.compare(committed); err == nil {
				return nil
			}
		}
		if time.Now().After(deadline) {
			return err
		}
		ctx, cancel := context.WithTimeout(context.Background(), retry.Pause(attempt))
		<-ctx.Done()
		cancel()
		s.ConsumerGroupSession.Commit()
	}
}

// confirmLast is confirm for a drain that finds no session, because the last one has ended and Kafka is
// away, for instance. Then nothing can be committed any more.
func (g *Group) confirmLast() error {
	claims := g.tracker.moved()
	if len(claims) == 0 {
		return nil
	}
	committed, err := kafka.CommittedOffsets(g.cfg.Probe, g.cfg.Group, claims)
	if err != nil {
		return fmt.Errorf("what was last read of %s may be read again: %w", describe(claims), err)
	}
	return g.tracker.compare(committed)
}

func describe(claims map[string][]int32) string {
	topics := make([]string, 0, len(claims))
	for topic, partitions := range claims {
		numbers := make([]string, len(partitions))
		for i, p := range partitions {
			numbers[i] = itoa(p)
		}
		topics = append(topics, topic+"/"+strings.Join(numbers, ","))
	}
	sort.Strings(topics)
	if len(topics) == 0 {
		return "none (standby)"
	}
	return strings.Join(topics, " ")
}
