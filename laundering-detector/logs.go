package main

import (
	"slices"
	"time"

	"github.com/IBM/sarama"
	"github.com/sirupsen/logrus"

	"fintrans/internal/kafka"
)

// logs are offsets of the shard's partition, by topic, as they were when a rebuild began.
type logs struct {
	starts []int64 // the first that is not committed; the oldest where nothing is, or what is lies outside of the log
	oldest []int64
	ends   []int64
}

// logs asks for all topics at once: what a rebuild takes is, as a rule, the way to the brokers and back.
func (s *shard) logs() (l logs, err error) {
	if l.ends, err = s.offsetsAt(sarama.OffsetNewest); err != nil {
		return l, err
	}
	if l.oldest, err = s.offsetsAt(sarama.OffsetOldest); err != nil {
		return l, err
	}
	for i, oldest := range l.oldest {
		start := s.topics[i].initial
		if start < 0 {
			start = oldest
			topic := s.detector.topics[i]
			if committed := s.session.committed[topic][s.partition]; committed >= 0 {
				s.gone(topic, committed, oldest)
			}
		}
		l.starts = append(l.starts, start)
	}
	return l, nil
}

func (s *shard) offsetsAt(at int64) ([]int64, error) {
	return kafka.OffsetsAt(s.detector.probe, s.detector.topics, s.partition, at)
}

// begins returns, per topic, from where it is read back: from the first record that is not older than the given time,
// in ms since 1970, or from the oldest for 0. The ends were asked for before: a record that came meanwhile is
// read, not passed over.
func (s *shard) begins(l logs, millis int64) ([]int64, error) {
	begins := slices.Clone(l.oldest)
	if millis > 0 {
		var err error
		if begins, err = s.offsetsAt(millis); err != nil {
			return nil, err
		}
	}
	for i, begin := range begins {
		if begin < 0 {
			begins[i] = l.ends[i]
		}
		if begins[i] < l.starts[i] && begins[i] == l.oldest[i] && begins[i] > 0 {
			s.incomplete(s.detector.topics[i], begins[i], millis)
		}
	}
	return begins, nil
}

// gone says that Kafka no longer has records that were never judged.
func (s *shard) gone(topic string, committed, oldest int64) {
	s.detector.metrics.gone.Add(topic, s.partition, committed, oldest)
	s.detector.rt.Log.WithFields(logrus.Fields{
		"topic": topic, "partition": s.partition, "committed": committed, "oldest": oldest,
	}).Error("Kafka no longer has records that were not judged yet: its retention has passed them, or the topic was created again")
}

// incomplete says that Kafka may no longer have all that a window needs.
func (s *shard) incomplete(topic string, oldest, millis int64) {
	s.detector.metrics.incomplete.Inc()
	s.detector.rt.Log.WithFields(logrus.Fields{
		"topic": topic, "partition": s.partition, "oldest": oldest, "wanted": time.UnixMilli(millis).UTC().Format(time.RFC3339),
	}).Warn("Kafka's log begins within the window that is read back: if its retention has deleted a part of it, " +
		"sums are too low until a window's length has passed")
}
