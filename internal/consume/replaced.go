package consume

import (
	"context"
	"fmt"
	"time"

	"github.com/sirupsen/logrus"

	"fintrans/internal/kafka"
)

// A topic that is deleted and created again has the name of the old one, and offsets that begin at 0 again. What
// was committed of the old one, and where its claims have read to, would pass over the first records of the new
// one. So each commit says of which topic it is, and a member looks now and then whether its topics are still the same.

// lookAtTopics is how often a member looks.
const lookAtTopics = 5 * time.Second

// identities are those of the group's topics; none when nobody can be asked now.
func (g *Group) identities() map[string]kafka.Identity {
	found, err := kafka.Identities(g.cfg.Probe, g.cfg.Topics)
	if err != nil {
		g.cfg.Runtime.Log.WithError(err).Debug("which topics these are is not known")
	}
	return found
}

// Begin has the next commit say that everything of the partition below the offset is dealt with: for a claim that is
// to begin there, before it does.
func (s *Session) Begin(topic string, partition int32, offset int64) {
	s.MarkOffset(topic, partition, offset, string(s.topics[topic]))
}

// reset is Begin with an offset that may be smaller than what is committed.
func (s *Session) reset(topic string, partition int32, offset int64) {
	s.ResetOffset(topic, partition, offset, string(s.topics[topic]))
}

// leaveReplaced makes the claims begin at 0 whose commits are of a topic that is no more.
func (s *Session) leaveReplaced() error {
	if len(s.topics) == 0 {
		return nil
	}
	commits, err := kafka.Commits(s.group.cfg.Probe, s.group.cfg.Group, s.Claims())
	if err != nil {
		return fmt.Errorf("committed offsets: %w", err)
	}
	for topic, partitions := range commits {
		for partition, commit := range partitions {
			if commit.Offset == kafka.NoOffset || !s.topics[topic].Replaces(commit.Topic) {
				continue
			}
			s.group.cfg.Runtime.Log.WithFields(logrus.Fields{
				"topic": topic, "partition": partition, "committed": commit.Offset,
			}).Warn("the topic was deleted and created again: what is committed is of the old one, the new one is read from its beginning")
			s.reset(topic, partition, 0)
		}
	}
	return nil
}

// watchTopics calls replaced when a topic is not the same any more. It returns then, or when ctx ends.
func (g *Group) watchTopics(ctx context.Context, since map[string]kafka.Identity, replaced func()) {
	tick := time.NewTicker(lookAtTopics)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		now, err := kafka.Await(ctx, func() {}, nil, func() (map[string]kafka.Identity, error) { return g.identities(), nil })
		if err != nil {
			return
		}
		for topic, id := range now {
			if id.Replaces(since[topic]) {
				g.cfg.Runtime.Log.WithField("topic", topic).Warn("the topic was deleted and created again: beginning a new session")
				replaced()
				return
			}
		}
	}
}
