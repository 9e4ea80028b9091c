package oracle

// Alert is what an alert's line says.
type Alert struct {
	Pair
	Total uint64
}

// Replay returns the alerts, in their order, of transfers that are judged in exactly this order while
// nothing is ever forgotten: one for each that brings about an episode which holds none of those
// before. It takes quadratic time for each pair.
func (r Rule) Replay(transfers []Transfer) []Alert {
	return r.replay(transfers, func(before, after []Transfer) uint64 {
		return largestNew(r.Episodes(before), r.Episodes(after))
	})
}

// ReplayEvery is Replay for repeated alerts: one for each transfer at t for which the largest f over
// [t, t + window) is above the threshold.
func (r Rule) ReplayEvery(transfers []Transfer) []Alert {
	return r.replay(transfers, func(_, after []Transfer) uint64 {
		last := after[len(after)-1]
		if largest := r.Largest(after, last.At, r.end(last.At)); largest > r.Threshold {
			return largest
		}
		return 0
	})
}

// replay asks judge about each transfer: with the transfers of its pair before it, and with it.
func (r Rule) replay(transfers []Transfer, judge func(before, after []Transfer) uint64) []Alert {
	var alerts []Alert
	seen := map[Pair][]Transfer{}
	for _, t := range transfers {
		pair := Pair{t.Source, t.Target}
		before := seen[pair]
		after := append(before[:len(before):len(before)], t) //nolint:gocritic // before stays as it is
		seen[pair] = after
		if total := judge(before, after); total > 0 {
			alerts = append(alerts, Alert{pair, total})
		}
	}
	return alerts
}

// largestNew returns the largest f of the episodes that hold none of those before, 0 if there are none.
func largestNew(before, after []Episode) uint64 {
	largest := uint64(0)
	for _, episode := range after {
		held := false
		for _, old := range before {
			held = held || old.From >= episode.From && old.To <= episode.To
		}
		if !held {
			largest = max(largest, episode.Max)
		}
	}
	return largest
}
