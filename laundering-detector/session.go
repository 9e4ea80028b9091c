package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"

	"fintrans/internal/consume"
	"fintrans/internal/kafka"
)

const (
	// A commit follows each batch that wrote a line, and this many records ...
	commitRecords = 10_000
	// ... and this long after the last, so that those who look at the group from outside see it move.
	commitEvery = 5 * time.Second
)

// session is what the detector keeps for as long as it holds its claims.
type session struct {
	committed   map[string]map[int32]int64 // offsets at the start, -1 for none
	generation  int32
	partitions  int32  // of each topic
	unbalanced  string // why nothing is judged, or empty
	shards      map[int32]*shard
	work        sync.WaitGroup     // rebuilds and publishing
	release     context.CancelFunc // ends the publishing
	uncommitted atomic.Int64       // records marked since the last commit
	committedAt atomic.Int64       // unix ns
}

// Setup implements consume.Handler.
func (d *detector) Setup(s *consume.Session) error {
	if err := d.probe.RefreshMetadata(d.topics...); err != nil {
		return fmt.Errorf("partitions of the topics: %w", err)
	}
	counts, err := kafka.PartitionCounts(d.probe, d.topics)
	if err != nil {
		return fmt.Errorf("partitions of the topics: %w", err)
	}
	next := &session{generation: s.GenerationID(), shards: map[int32]*shard{}}
	next.committedAt.Store(time.Now().UnixNano())
	if next.unbalanced = d.differ(counts); next.unbalanced == "" {
		next.partitions = counts[d.topics[0]]
		next.committed, err = kafka.CommittedOffsets(d.probe, string(d.cfg.KafkaGroup), s.Claims())
		if err != nil {
			return fmt.Errorf("committed offsets: %w", err)
		}
		next.unbalanced = d.divide(next, s.Claims())
	}
	d.handOver(next)
	d.announce(next)
	d.publish(next)
	return nil
}

// handOver gives the session's shards what was kept of the session before, and lets go of the rest.
func (d *detector) handOver(next *session) {
	for p, s := range next.shards {
		s.before = d.kept.of(next, p)
	}
	d.kept = kept{}
}

// publish has the alerts of the session's shards published, until the session is released.
func (d *detector) publish(next *session) {
	ctx, release := context.WithCancel(context.Background())
	next.release = release
	if d.publisher == nil {
		return
	}
	for _, s := range next.shards {
		next.work.Go(func() { s.outbox.run(ctx) })
	}
}

// differ says how the partition counts differ: what two accounts send each
// other would then be in different partition numbers of different topics.
func (d *detector) differ(counts map[string]int32) string {
	equal := true
	text := ""
	for _, topic := range d.topics {
		equal = equal && counts[topic] == counts[d.topics[0]]
		text += fmt.Sprintf(" %s %d", topic, counts[topic])
	}
	if equal {
		return ""
	}
	return "the partition counts of the topics differ, so that nothing can be added up across cities:" +
		text + "; add partitions until they are equal"
}

// divide makes a shard of each partition number, which this member holds in all topics or in none.
func (d *detector) divide(next *session, claims map[string][]int32) string {
	for _, topic := range d.topics {
		for _, p := range claims[topic] {
			if next.shards[p] == nil {
				next.shards[p] = newShard(d, next, p)
			}
		}
	}
	for p := range next.shards {
		for _, topic := range d.topics {
			if !slices.Contains(claims[topic], p) {
				clear(next.shards)
				return fmt.Sprintf("partition %d of %s is with another member than partition %d of the other topics; "+
					"waiting for the next rebalance (all members need the range assignment and the same topics)", p, topic, p)
			}
		}
	}
	return ""
}

// announce makes the session the current one and says what is worth saying of its partitions.
func (d *detector) announce(next *session) {
	d.rt.Ready.Set("partitions", next.unbalanced)
	d.mu.Lock()
	before := d.counts
	d.session = next
	d.stuck = "" // what the session before did not print is judged again
	if next.unbalanced == "" {
		d.counts = next.partitions
	}
	d.mu.Unlock()
	switch {
	case next.unbalanced != "":
		d.rt.Log.Error("nothing is judged: " + next.unbalanced)
	case before != 0 && before != next.partitions:
		d.rt.Log.WithFields(logrus.Fields{"before": before, "now": next.partitions}).
			Warn("the number of partitions changed: a pair's older transactions may be in another partition number, " +
				"so windows that span the change may add up to too little")
	}
}

// Consume implements consume.Handler.
func (d *detector) Consume(s *consume.Session, c *consume.Claim) error {
	current := d.current()
	sh := current.shards[c.Partition()]
	if sh == nil {
		d.group.Pause(c.Topic(), c.Partition())
		waitForEnd(s.Context(), c)
		return nil
	}
	topic := slices.Index(d.topics, c.Topic())
	if !sh.join(s.Context(), topic, c) {
		return nil
	}
	return (&reading{detector: d, session: current, sess: s, shard: sh, claim: c, topic: topic}).run()
}

// Cleanup implements consume.Handler: what is held goes on to the next session, if it goes on from there.
func (d *detector) Cleanup(*consume.Session) {
	current := d.current()
	if current == nil {
		return // its setup failed
	}
	current.release()
	current.work.Wait()
	d.metrics.release()
	d.publisher.release()
	left := current.left()
	if left != "" {
		d.rt.Log.WithField("from", left).Warn("the session ended before all alerts were published: what set them off will be read again")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.session, d.left = nil, left
	d.kept = current.keep()
}

// left names the alerts of all shards that were not published.
func (s *session) left() string {
	var names []string
	for _, shard := range s.shards {
		if left := shard.outbox.left(); left != "" {
			names = append(names, left)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// waitForEnd idles until the session is over.
func waitForEnd(ctx context.Context, c *consume.Claim) {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			c.Tick()
		}
	}
}
