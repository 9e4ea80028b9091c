package oracle

import (
	"fmt"
	"maps"
	"slices"
)

// Check says what is wrong with the alerts of transfers that were judged in an unknown order, of which
// none was too late to be judged by all that was needed: nil if nothing is. Alerts may be repeated.
//   - Each pair that has an episode alerts, often enough for an alert in each of its episodes.
//   - No other pair alerts.
//   - Each total is above the threshold and no larger than the largest f of an episode of its pair.
func (r Rule) Check(alerts []Alert, transfers []Transfer) []error {
	var wrong []error
	totals := map[Pair][]uint64{}
	for _, alert := range alerts {
		totals[alert.Pair] = append(totals[alert.Pair], alert.Total)
	}
	pairs := ByPair(transfers)
	for pair, own := range pairs {
		episodes := r.Episodes(own)
		if least := r.fewestHits(own, episodes); len(totals[pair]) < least {
			wrong = append(wrong, fmt.Errorf("%v: %d alerts for %d episodes, which need %d at least: %+v", pair, len(totals[pair]), len(episodes), least, episodes))
		}
	}
	for pair, own := range totals {
		best := r.Best(pairs[pair])
		if best <= r.Threshold {
			wrong = append(wrong, fmt.Errorf("%v: %d alerts, but the pair is never over the threshold: its largest sum is %d", pair, len(own), best))
			continue
		}
		for _, total := range own {
			if total <= r.Threshold || total > best {
				wrong = append(wrong, fmt.Errorf("%v: an alert totals %d, want more than %d and at most %d", pair, total, r.Threshold, best))
			}
		}
	}
	return wrong
}

// CheckEvery is Check for repeated alerts, of detectors that judge each transfer exactly once: a
// pair alerts no more often than it has transfers around which f is above the threshold.
func (r Rule) CheckEvery(alerts []Alert, transfers []Transfer) []error {
	wrong := r.Check(alerts, transfers)
	count := map[Pair]int{}
	for _, alert := range alerts {
		count[alert.Pair]++
	}
	for pair, own := range ByPair(transfers) {
		most := 0
		for _, t := range own {
			if r.Largest(own, t.At, r.end(t.At)) > r.Threshold {
				most++
			}
		}
		if count[pair] > most {
			wrong = append(wrong, fmt.Errorf("%v: %d alerts, want at most %d", pair, count[pair], most))
		}
	}
	return wrong
}

// Repeats is how many alerts there are beyond one for each episode of their pair. In order within one topic these
// are repeats; otherwise a late transfer may have joined what were several episodes.
func (r Rule) Repeats(alerts []Alert, transfers []Transfer) int {
	count := map[Pair]int{}
	for _, alert := range alerts {
		count[alert.Pair]++
	}
	pairs, repeats := ByPair(transfers), 0
	for pair, n := range count {
		repeats += max(0, n-len(r.Episodes(pairs[pair])))
	}
	return repeats
}

// Difference is how alerts differ from those that were expected, when the order does not matter.
type Difference struct {
	Missing    []Alert // expected more often than they came
	Unexpected []Alert // came, but never expected
	Repeated   int     // came more often than expected
}

// Compare compares alerts with those that were expected.
func Compare(got, want []Alert) Difference {
	balance, expected := map[Alert]int{}, map[Alert]bool{}
	for _, alert := range want {
		balance[alert]--
		expected[alert] = true
	}
	for _, alert := range got {
		balance[alert]++
	}
	var d Difference
	for _, alert := range slices.SortedFunc(maps.Keys(balance), compareAlerts) {
		n := balance[alert]
		switch {
		case n < 0:
			d.Missing = append(d.Missing, alert)
		case n > 0 && !expected[alert]:
			d.Unexpected = append(d.Unexpected, alert)
		default:
			d.Repeated += n
		}
	}
	return d
}

func compareAlerts(a, b Alert) int {
	return slices.Compare(
		[]uint64{uint64(a.Source), uint64(a.Target), a.Total},
		[]uint64{uint64(b.Source), uint64(b.Target), b.Total})
}

// String names the pair as the alerts do.
func (p Pair) String() string { return fmt.Sprintf("%d -> %d", p.Source, p.Target) }

// String gives the alert in short.
func (a Alert) String() string { return fmt.Sprintf("%v totalling %d", a.Pair, a.Total) }
