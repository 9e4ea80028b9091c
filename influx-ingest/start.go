package main

import (
	"fmt"
	"time"

	"fintrans/internal/consume"
	"fintrans/internal/kafka"
)

// startAtRetention makes the claims for which the group has committed nothing
// begin where the retention does: what is older would only be read to be
// dropped. It works before the claims start, which is when sarama looks where
// they are to begin.
func (i *ingest) startAtRetention(s *consume.Session) error {
	committed, err := kafka.CommittedOffsets(i.probe, i.stream.group, s.Claims())
	if err != nil {
		return fmt.Errorf("committed offsets: %w", err)
	}
	begin := time.Now().Add(-i.stream.policy.duration).UnixMilli()
	for topic, partitions := range committed {
		for partition, offset := range partitions {
			if offset != kafka.NoOffset {
				continue
			}
			first, err := kafka.OffsetForTime(i.probe, topic, partition, begin)
			if err != nil {
				return fmt.Errorf("start of the retention: %w", err)
			}
			s.MarkOffset(topic, partition, first, "")
		}
	}
	return nil
}
