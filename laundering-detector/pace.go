package main

import (
	"math"
	"time"
)

// A topic that has not moved for this long stands still: nobody waits for it.
const standing = 5 * time.Second

// keepPace pauses topics that are far ahead of the slowest one that moves, and
// lets the others go on. Between them lies what has to be held, so this bounds
// memory while a backlog is read, in which topics of different size come at
// different speeds. It never changes what is judged, only when.
func (s *shard) keepPace() {
	if s.detector.cfg.AlertWindow == 0 {
		return // what is held does not grow with time
	}
	slowest := s.slowest()
	for i := range s.topics {
		st := &s.topics[i]
		pause := st.read && st.newest-slowest > s.leeway()
		if slowest == math.MaxInt64 {
			pause = false
		}
		if pause != st.paused.Load() {
			s.setPaused(st, i, pause)
		}
	}
}

// leeway is how far apart topics may be, in ms: at least the lateness, because
// so much is held anyway.
func (s *shard) leeway() int64 {
	cfg := s.detector.cfg
	return cfg.AlertLateness.Milliseconds() + max(time.Minute.Milliseconds(), cfg.AlertWindow.Milliseconds()/8)
}

// slowest is the time of the topic that is furthest behind among those that move
// and are not at their end, or MaxInt64 where there is none.
func (s *shard) slowest() int64 {
	slowest, now := int64(math.MaxInt64), time.Now()
	for i := range s.topics {
		st := &s.topics[i]
		if st.claim == nil || st.paused.Load() || st.claim.Silent(now) > standing {
			continue
		}
		if _, ended := st.claim.AtEnd(now); ended {
			continue
		}
		if at, known := s.reached(st); known {
			slowest = min(slowest, at)
		}
	}
	return slowest
}

// reached is the time that a topic has come to: that of its newest good record, or
// where the others were when it was last at its end, if that is later. They have let
// go of what is older, so there is nothing to wait for before it. The times of bad
// records do not count: they say nothing of the good ones behind them, for which the
// others wait as long as there is a backlog that may hold some.
func (s *shard) reached(st *topicState) (at int64, known bool) {
	if s.low == math.MinInt64 {
		return st.newest, st.read
	}
	left := s.low + s.detector.cfg.AlertLateness.Milliseconds()
	if st.read {
		return max(st.newest, left), true
	}
	return left, st.bad > 0 // a topic that is empty is soon seen at its end
}

func (s *shard) setPaused(st *topicState, topic int, paused bool) {
	st.paused.Store(paused)
	name := s.detector.topics[topic]
	if paused {
		s.detector.group.Pause(name, s.partition)
		s.detector.metrics.pauses.Inc()
		return
	}
	if s.detector.full() {
		st.owed.Store(true) // the claim's own loop may not notice that memory was full
		return
	}
	s.detector.group.Resume(name, s.partition)
}
