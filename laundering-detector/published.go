package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/IBM/sarama"
	"github.com/sirupsen/logrus"

	"fintrans/internal/alert"
	"fintrans/internal/kafka"
	"fintrans/internal/transaction"
)

// recallPatience is how long the alert topic may keep quiet while it is read back. Alerts do not wait for
// it any longer: rather one of them twice than all of them late.
const recallPatience = 5 * time.Second

// knownAlert is an alert that is in the alert topic, by the transaction that set it off. Its pair and time tell
// it from another transaction with the same offset: that of a topic that was created again.
type knownAlert struct {
	offset int64
	at     int64
	pair   transaction.Pair
}

// known are the alerts of one topic's partition that are published although their transactions are not
// committed: they are judged again, and not alerted again.
type known struct{ list []knownAlert }

func (k *known) add(a knownAlert) { k.list = append(k.list, a) }

// sort has to be called after the last add and before the first has.
func (k *known) sort() {
	slices.SortFunc(k.list, func(a, b knownAlert) int { return cmp.Compare(a.offset, b.offset) })
}

// has tells whether the alert is known. It is asked in the order of offsets, and forgets what lies behind.
func (k *known) has(a knownAlert) bool {
	i := 0
	for i < len(k.list) && k.list[i].offset < a.offset {
		i++
	}
	if k.list = k.list[i:]; len(k.list) == 0 {
		k.list = nil
		return false
	}
	for _, other := range k.list {
		if other.offset != a.offset {
			break
		}
		if other == a {
			return true
		}
	}
	return false
}

// recall reads back which alerts were published for transactions that are not committed, so that they are not
// alerted again. millis is the time of the oldest record that is read back: no alert for a transaction as new
// as that was published before it, but for the clocks, which MAX_AHEAD allows to differ.
func (s *shard) recall(ctx context.Context, starts []int64, millis int64) error {
	if !s.outbox.publishes() {
		return nil
	}
	patient, cancel := context.WithCancel(ctx)
	defer cancel()
	patience := time.AfterFunc(recallPatience, cancel)
	defer patience.Stop()
	count, err := s.readAlerts(patient, starts, max(0, millis-s.detector.cfg.MaxAhead.Milliseconds()), func() { patience.Reset(recallPatience) })
	for i := range s.topics {
		s.topics[i].known.sort()
	}
	log := s.detector.rt.Log.WithFields(logrus.Fields{"topic": s.outbox.publisher.topic, "partition": s.partition})
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, sarama.ErrUnknownTopicOrPartition):
		log.Debug("there is no alert topic to read back yet")
	case err != nil:
		s.detector.metrics.unrecalled.Inc()
		log.WithField("reason", kafka.Explain(err, s.outbox.publisher.conf)).
			Warn("the alert topic cannot be read back: alerts that are in it may be repeated")
	case count > 0:
		log.WithField("alerts", count).Info("alerts are published already that are judged again: they are not repeated")
	}
	return nil
}

// readAlerts fills known, and returns how many alerts there are that were not committed.
func (s *shard) readAlerts(ctx context.Context, starts []int64, millis int64, progress func()) (int, error) {
	d, topic, count := s.detector, s.outbox.publisher.topic, 0
	type stretch struct{ from, to int64 }
	part, err := kafka.Await(ctx, func() {}, nil, func() (stretch, error) {
		to, err := kafka.EndOffset(d.probe, topic, s.partition)
		if err != nil {
			return stretch{}, err
		}
		from, err := kafka.OffsetForTime(d.probe, topic, s.partition, millis)
		return stretch{from, to}, err
	})
	if err != nil || part.from >= part.to {
		return 0, err
	}
	var last error // of what was tried again, for as long as the patience lasts
	reader := *d.alerts
	reader.Retry = func(_ string, _ int32, err error) { last = err }
	_, err = reader.Read(ctx, topic, s.partition, part.from, part.to, func(records []kafka.Record) bool {
		progress()
		for _, r := range records {
			a, reason := alert.Parse(r.Value)
			if reason != alert.None {
				d.metrics.foreign.Inc()
				continue
			}
			city := slices.Index(d.topics, a.Topic)
			if a.Partition == s.partition && a.Offset >= starts[city] {
				s.topics[city].known.add(knownAlert{offset: a.Offset, at: int64(a.Time), pair: a.Pair()})
				count++
			}
		}
		for i := range s.topics {
			s.topics[i].claim.Working()
		}
		for d.full() && ctx.Err() == nil {
			progress()
			wait(ctx, tickEvery)
		}
		return ctx.Err() == nil
	})
	if err != nil && last != nil {
		err = last
	}
	return count, err
}
