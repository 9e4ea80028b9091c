package oracle

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// Transfer is a transaction of which the time is known.
type Transfer struct {
	Source, Target, Amount uint32
	At                     int64 // milliseconds since 1970
}

// Pair is the accounts between which money moves.
type Pair struct{ Source, Target uint32 }

// Rule says when to alert.
type Rule struct {
	Threshold uint64
	Window    int64 // milliseconds; 0 is everything since the beginning
}

// forever is the end of a step without end.
const forever = math.MaxInt64

// end is where the step of a transaction at this time ends.
func (r Rule) end(at int64) int64 {
	if r.Window == 0 {
		return forever
	}
	return at + r.Window
}

// Episode is a maximal interval [From, To) in which f is above the threshold.
type Episode struct {
	From, To int64
	Max      uint64 // the largest f within
}

// ByPair sorts transfers by their pair; within a pair they keep their order.
func ByPair(transfers []Transfer) map[Pair][]Transfer {
	pairs := map[Pair][]Transfer{}
	for _, t := range transfers {
		pair := Pair{t.Source, t.Target}
		pairs[pair] = append(pairs[pair], t)
	}
	return pairs
}

// level is f from an instant on, until the next level.
type level struct {
	from int64
	f    uint64
}

// levels returns f for the transfers of one pair: its value at each instant at which it may change,
// in the order of time.
func (r Rule) levels(transfers []Transfer) []level {
	changes := map[int64]int64{}
	for _, t := range transfers {
		changes[t.At] += int64(t.Amount)
		if end := r.end(t.At); end != forever {
			changes[end] -= int64(t.Amount)
		}
	}
	var steps []level
	f := int64(0)
	for _, instant := range slices.Sorted(maps.Keys(changes)) {
		f += changes[instant]
		steps = append(steps, level{instant, uint64(f)})
	}
	return steps
}

// Episodes returns the episodes of the transfers of one pair, in the order of time.
func (r Rule) Episodes(transfers []Transfer) []Episode {
	var episodes []Episode
	over := false
	for _, step := range r.levels(transfers) {
		switch {
		case step.f > r.Threshold && !over:
			episodes = append(episodes, Episode{From: step.from, To: forever, Max: step.f})
		case step.f > r.Threshold:
			last := &episodes[len(episodes)-1]
			last.Max = max(last.Max, step.f)
		case over:
			episodes[len(episodes)-1].To = step.from
		}
		over = step.f > r.Threshold
	}
	return episodes
}

// Largest returns the largest f of one pair over [from, to).
func (r Rule) Largest(transfers []Transfer, from, to int64) uint64 {
	largest, before := uint64(0), uint64(0)
	for _, step := range r.levels(transfers) {
		if step.from >= to {
			break
		}
		if step.from > from {
			largest = max(largest, before)
		}
		before = step.f
	}
	return max(largest, before)
}

// Best returns the largest f of one pair at any time.
func (r Rule) Best(transfers []Transfer) uint64 { return r.Largest(transfers, math.MinInt64, forever) }

// Fewest is the smallest number of alerts that the transfers of one pair can do with, in whatever order they were
// judged.
func (r Rule) Fewest(transfers []Transfer) int { return r.fewestHits(transfers, r.Episodes(transfers)) }

// fewestHits is the smallest number of the transfers whose steps touch all the episodes. One late
// transfer may bring about several episodes at once, and alerts once.
func (r Rule) fewestHits(transfers []Transfer, episodes []Episode) int {
	byTime := slices.SortedFunc(slices.Values(transfers), func(a, b Transfer) int { return cmp.Compare(a.At, b.At) })
	hits, covered := 0, int64(math.MinInt64)
	for _, episode := range episodes {
		if episode.From < covered {
			continue
		}
		// The latest step that touches the first episode that is left reaches furthest.
		for _, t := range byTime {
			if t.At < episode.To && r.end(t.At) > episode.From {
				covered = r.end(t.At)
			}
		}
		hits++
	}
	return hits
}
