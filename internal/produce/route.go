package produce

import (
	"fmt"
	"slices"
	"time"

	"github.com/IBM/sarama"
	"github.com/sirupsen/logrus"
)

const (
	// manyAttempts are so many that somebody should hear of it: some 10 s of them.
	manyAttempts = 10
	// complainEvery is how often that is said of a topic.
	complainEvery = time.Minute
	// gonePatience is how long a topic may lack a partition: a broker that lags behind may report too few for a moment.
	gonePatience = time.Minute
)

// route brings partitions that have no leader, or have lost it, to the sender of
// the one that they have now. It is the only goroutine that asks the cluster
// where things are, so that what is slow about it holds up nobody else.
func (p *Producer) route() {
	for {
		due, look, pause := p.waiting(time.Now())
		switch {
		case len(due) > 0:
			p.place(due)
			continue
		case look:
			p.lookForPartitions()
			continue
		}
		var elapsed <-chan time.Time
		if pause > 0 {
			elapsed = time.After(pause)
		}
		select {
		case <-p.wake:
		case <-elapsed:
		case <-p.done:
			return
		}
	}
}

// waiting takes the strays whose time has come, and returns whether to look for
// partitions, and how long to wait for the next stray, 0 if there is none.
func (p *Producer) waiting(now time.Time) (due []*partition, look bool, pause time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.strays = slices.DeleteFunc(p.strays, func(part *partition) bool {
		left := part.retryAt.Sub(now)
		if left <= 0 {
			due = append(due, part)
			return true
		}
		if pause == 0 || left < pause {
			pause = left
		}
		return false
	})
	if len(due) == 0 {
		look, p.look = p.look, false
	}
	return due, look, pause
}

// place gives each partition an identity, if it has none, and to the sender of
// its leader. Those for which that cannot be done wait and stray on.
func (p *Producer) place(due []*partition) {
	if slices.ContainsFunc(due, func(part *partition) bool { return part.id == nobody }) {
		if !p.identify(due) {
			p.refresh(due, func(part *partition) bool { return part.id == nobody }) // who else would find the brokers again?
			due = slices.DeleteFunc(due, func(part *partition) bool { return part.id == nobody })
		}
	}
	led := p.whereLed(due)
	for _, part := range due {
		if why := p.hand(part, led[part.topic]); why != nil {
			p.strayOn(part, why)
		}
	}
}

// identify gives the partitions that have no identity a fresh one. It is false
// when there is none; they are then postponed.
func (p *Producer) identify(due []*partition) bool {
	id, err := p.cluster.identify()
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		p.id = id
	}
	for _, part := range due {
		switch {
		case part.id != nobody:
		case err != nil:
			p.postpone(part, err)
		default:
			part.id, part.next = id, 0
		}
	}
	return err == nil
}

// leaders are the numbers of the partitions of a topic that have one, or why that is not known.
type leaders struct {
	numbers []int32
	err     error
}

// whereLed returns which partitions of the topics have a leader, after asking
// the cluster about those for which an attempt has failed.
func (p *Producer) whereLed(due []*partition) map[*topic]leaders {
	p.refresh(due, func(part *partition) bool { return part.attempt > 0 })
	led := make(map[*topic]leaders)
	for _, part := range due {
		led[part.topic] = leaders{}
	}
	for t := range led {
		numbers, err := p.cluster.led(t.name)
		led[t] = leaders{numbers, err}
	}
	return led
}

// refresh asks the cluster about the topics of those partitions that are in doubt.
func (p *Producer) refresh(due []*partition, inDoubt func(*partition) bool) {
	var topics []string
	for _, part := range due {
		if inDoubt(part) && !slices.Contains(topics, part.topic.name) {
			topics = append(topics, part.topic.name)
		}
	}
	if len(topics) == 0 {
		return
	}
	if err := p.cluster.refresh(topics); err != nil {
		p.log.WithField("reason", err.Error()).Debug("metadata cannot be refreshed")
	}
}

// hand gives a partition to the sender of its leader. Its error says why there is none.
func (p *Producer) hand(part *partition, led leaders) error {
	switch {
	case led.err != nil:
		return led.err
	case !slices.Contains(led.numbers, part.number):
		return sarama.ErrLeaderNotAvailable
	}
	node, err := p.cluster.leader(part.topic.name, part.number)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.senders[node.ID()]
	if s == nil {
		s = newSender(p)
		p.senders[node.ID()] = s
		go s.run()
	}
	s.node = node
	s.partitions = append(s.partitions, part)
	part.sender, part.goneSince = s, time.Time{}
	signal(s.wake)
	return nil
}

// strayOn postpones a partition, and settles what it holds if it is gone.
func (p *Producer) strayOn(part *partition, why error) {
	p.mu.Lock()
	p.postpone(part, why)
	b := p.gone(part, time.Now())
	p.mu.Unlock()
	if b == nil {
		return
	}
	select {
	case p.settled <- b:
	case <-p.done:
	}
}

// gone gives up a batch of a partition that its topic has not had for long: it
// was made again with fewer. nil: there is nothing to give up. The Producer's
// lock is held.
func (p *Producer) gone(part *partition, now time.Time) *Batch {
	if part.number < part.topic.count {
		part.goneSince = time.Time{}
		return nil
	}
	if part.goneSince.IsZero() {
		part.goneSince = now
	}
	if now.Sub(part.goneSince) < gonePatience {
		return nil
	}
	if part.sent == nil {
		part.sent, part.open, part.due = part.open, nil, false
	}
	if part.sent == nil {
		return nil
	}
	why := fmt.Errorf("partition %d is gone, the topic has %d now: %w", part.number, part.topic.count, sarama.ErrUnknownTopicOrPartition)
	p.trouble.Store(&why)
	return part.givenUp(why)
}

// postpone leaves a partition to the router, for later. That is trouble if the
// partition has something to send. The Producer's lock is held.
func (p *Producer) postpone(part *partition, why error) {
	log := p.log.WithFields(logrus.Fields{
		"topic": part.topic.name, "partition": part.number, "attempt": part.attempt + 1, "reason": why.Error(),
	})
	log.Debug("a partition cannot be sent to, trying again")
	if part.sent != nil || part.open != nil {
		p.trouble.Store(&why)
		if part.attempt >= manyAttempts {
			if more, ok := p.failing.Allow(part.topic.name); ok {
				log.WithField("more", more).Warn("a partition cannot be sent to, trying again")
			}
		}
	}
	part.sender = nil
	part.attempt++
	part.retryAt = time.Now().Add(retry.Pause(part.attempt))
	p.strays = append(p.strays, part)
	signal(p.wake)
}

// lookForPartitions takes in how many partitions the topics have now.
func (p *Producer) lookForPartitions() {
	for _, t := range p.topics {
		count, err := p.cluster.partitions(t.name)
		if err != nil {
			continue // away for the moment; whoever sends to it will say so
		}
		p.mu.Lock()
		p.grow(t, count)
		p.mu.Unlock()
	}
}

// grow makes count the number of the topic's partitions. New ones go to the
// router. The Producer's lock is held.
func (p *Producer) grow(t *topic, count int32) {
	for number := int32(len(t.partitions)); number < count; number++ {
		part := &partition{topic: t, number: number, id: p.id}
		t.partitions = append(t.partitions, part)
		p.strays = append(p.strays, part)
	}
	t.count = count
}
