package main

import "fintrans/internal/window"

// kept is what the shards of a session held when it ended. That follows from the records that were judged, and from
// nothing else; so where the next session goes on with the same partition at the same offsets there is nothing to
// read back. Who joins or leaves holds up only the partitions that move.
type kept struct {
	generation int32
	partitions int32 // of each topic
	shards     map[int32]*keptShard
}

// keptShard is what one shard held.
type keptShard struct {
	window *window.Window
	low    int64
	topics []keptTopic
}

// keptTopic is what it knew of its partition of one topic.
type keptTopic struct {
	next   int64 // the first offset that was not judged; where the claim began if nothing was
	read   bool
	newest int64
	known  known
}

// keep returns what a next session may go on with.
func (s *session) keep() kept {
	k := kept{generation: s.generation, partitions: s.partitions, shards: map[int32]*keptShard{}}
	for p, shard := range s.shards {
		if shard.whole() {
			k.shards[p] = shard.keep()
		}
	}
	return k
}

// whole tells whether the shard holds just what was judged, and nothing of that is still to be published. A
// transaction whose line could not be written is held already, and is judged again.
func (s *shard) whole() bool {
	select {
	case <-s.rebuilt:
		return !s.broken && s.outbox.pending() == 0
	default:
		return false
	}
}

func (s *shard) keep() *keptShard {
	k := &keptShard{window: s.window, low: s.low}
	for i := range s.topics {
		st := &s.topics[i]
		next := st.initial
		if judged := s.outbox.markable(i); judged >= 0 {
			next = judged
		}
		k.topics = append(k.topics, keptTopic{next: next, read: st.read, newest: st.newest, known: st.known})
	}
	return k
}

// of returns what the session may go on with in the partition; nil where that is nothing. A generation that is missing
// in between may have been another member's: what it has judged and published, it need not have committed.
func (k kept) of(next *session, partition int32) *keptShard {
	passed := next.generation - k.generation
	if passed < 0 || passed > 1 || k.partitions != next.partitions {
		return nil
	}
	return k.shards[partition]
}

// takeOver goes on with what was kept, unless one of the claims does not begin where the session before ended.
func (s *shard) takeOver() bool {
	k := s.before
	s.before = nil
	if k == nil {
		return false
	}
	for i := range s.topics {
		if s.topics[i].initial != k.topics[i].next {
			return false
		}
	}
	s.window, s.low = k.window, k.low
	for i := range s.topics {
		st, of := &s.topics[i], &k.topics[i]
		st.read, st.newest, st.known = of.read, of.newest, of.known
	}
	return true
}
