package main

import (
	"context"
	"fmt"
	"time"

	"github.com/sirupsen/logrus"

	"fintrans/internal/consume"
	"fintrans/internal/kafka"
)

// startAtRetention makes the claims for which the group has committed nothing
// begin where the retention does: what is older would only be read to be
// dropped. It works before the claims start, which is when sarama looks where
// they are to begin. It returns what is committed.
func (i *ingest) startAtRetention(s *consume.Session) (map[string]map[int32]int64, error) {
	committed, err := kafka.CommittedOffsets(i.probe, i.stream.group, s.Claims())
	if err != nil {
		return nil, fmt.Errorf("committed offsets: %w", err)
	}
	begin := time.Now().Add(-i.stream.policy.duration).UnixMilli()
	for topic, partitions := range committed {
		for partition, offset := range partitions {
			if offset != kafka.NoOffset {
				continue
			}
			first, err := kafka.OffsetForTime(i.probe, topic, partition, begin)
			if err != nil {
				return nil, fmt.Errorf("start of the retention: %w", err)
			}
			s.Begin(topic, partition, first)
		}
	}
	return committed, nil
}

// sayWhatIsGone says that Kafka no longer has what was to be read next of a claim, which then begins with the
// oldest record that is left.
func (i *ingest) sayWhatIsGone(ctx context.Context, c *consume.Claim, committed int64) {
	if c.InitialOffset() >= 0 || committed == kafka.NoOffset {
		return
	}
	oldest, err := kafka.Await(ctx, c.Tick, nil, func() (int64, error) {
		return kafka.OldestOffset(i.probe, c.Topic(), c.Partition())
	})
	if err != nil {
		return // the session is over, or says itself what is wrong with Kafka
	}
	i.sink.metrics.gone.Add(c.Topic(), c.Partition(), committed, oldest)
	i.sink.log.WithFields(logrus.Fields{
		"topic": c.Topic(), "partition": c.Partition(), "committed": committed, "oldest": oldest,
	}).Error("Kafka no longer has records that were not read yet: its retention has passed them, or the topic was created again")
}
