// Package score says how good the detection was: which of the rings that were planted were detected,
// which alerts no ring explains, and how long an alert took. It goes by the records in the topics, of
// which headers name the rings, and by the alerts as they came; it shares no code with the detector and
// asks the oracle when each pair of accounts was over the threshold.
package score

import (
	"cmp"
	"math"
	"slices"
	"time"

	"fintrans/demo/ledger"
	"fintrans/demo/oracle"
)

// Alert is an alert and when its line came.
type Alert struct {
	oracle.Alert
	Came time.Time
}

// Ring is a planted ring.
type Ring struct {
	Number uint64
	oracle.Pair
	Transfers   int // that the ring has in all
	Found       int // of them in the topics
	Sum         uint64
	First, Last int64 // times of those that were found, in milliseconds since 1970
}

// Unexplained is an alert that no ring explains.
type Unexplained struct {
	Alert
	// Wrong alerts are of pairs that were never so far over the threshold. The others are right: chance
	// alone took the pair over it.
	Wrong bool
}

// Score is how good the detection was.
type Score struct {
	// Planted are the rings that can be asked for: all their transfers are in the topics, within one
	// window and together over the threshold, and their pair was not over it before the run.
	Planted, Detected int
	Missed            []Ring // planted and not detected
	Partial           int    // rings of which transfers are missing, or that do not fit into a window
	Alerts            int    // repeats left out
	Repeated          int    // alerts that came again, as they may after a kill
	Unexplained       []Unexplained
	Latencies         []time.Duration // from the time of the transaction that crosses to the line, in order
}

// early is how much sooner than the time of its transaction an alert may come: as far as the clocks of
// those who send transactions may be ahead.
const early = time.Minute

// Judge makes the score of a run under the rule. The records before the run are those that the windows of
// the run reach back to; their rings were somebody else's to detect.
func Judge(rule oracle.Rule, before, during []ledger.Record, alerts []Alert) Score {
	j := judge{rule: rule, pairs: map[oracle.Pair]*pair{}}
	rings := j.gather(before, during, alerts)
	var s Score
	for _, p := range j.pairs {
		p.match(rule)
		s.add(p)
	}
	for _, ring := range rings {
		j.ask(&s, ring)
	}
	slices.Sort(s.Latencies)
	slices.SortFunc(s.Missed, func(a, b Ring) int { return cmp.Compare(a.First, b.First) })
	slices.SortFunc(s.Unexplained, func(a, b Unexplained) int { return a.Came.Compare(b.Came) })
	return s
}

// judge holds the pairs that have a ring or an alert.
type judge struct {
	rule  oracle.Rule
	pairs map[oracle.Pair]*pair
}

// ringKey tells rings apart. Each life of a generator counts its rings from 1, of other pairs.
type ringKey struct {
	number    uint64
	pair      oracle.Pair
	transfers int
}

// gather finds the rings of the run, and sorts the records and alerts of the pairs that matter.
func (j *judge) gather(before, during []ledger.Record, alerts []Alert) map[ringKey]*Ring {
	rings := map[ringKey]*Ring{}
	for _, r := range during {
		if r.Ring == 0 {
			continue
		}
		key := ringKey{r.Ring, pairOf(r), r.RingTransfers}
		if rings[key] == nil {
			rings[key] = &Ring{Number: r.Ring, Pair: key.pair, Transfers: r.RingTransfers, First: math.MaxInt64, Last: math.MinInt64}
			j.pairs[key.pair] = &pair{}
		}
		rings[key].add(r)
	}
	for _, a := range alerts {
		if j.pairs[a.Pair] == nil {
			j.pairs[a.Pair] = &pair{}
		}
		j.pairs[a.Pair].alerts = append(j.pairs[a.Pair].alerts, alert{Alert: a})
	}
	for _, r := range before {
		if p := j.pairs[pairOf(r)]; p != nil {
			p.before = append(p.before, r.Transfer)
			p.add(r)
		}
	}
	for _, r := range during {
		if p := j.pairs[pairOf(r)]; p != nil {
			p.add(r)
		}
	}
	return rings
}

func pairOf(r ledger.Record) oracle.Pair { return oracle.Pair{Source: r.Source, Target: r.Target} }

func (r *Ring) add(record ledger.Record) {
	r.Found++
	r.Sum += uint64(record.Amount)
	r.First, r.Last = min(r.First, record.At), max(r.Last, record.At)
}

// ask looks whether a ring was detected: whether there was an alert for the episode that it brings about.
func (j *judge) ask(s *Score, ring *Ring) {
	whole := ring.Found >= ring.Transfers && (j.rule.Window == 0 || ring.Last-ring.First < j.rule.Window)
	if !whole || ring.Sum <= j.rule.Threshold {
		s.Partial++
		return
	}
	for _, e := range j.pairs[ring.Pair].episodes {
		switch {
		case ring.Last < e.From || ring.Last >= e.To:
		case e.earlier: // whoever read the topics before the run had to detect it
		case e.alert == nil:
			s.Planted++
			s.Missed = append(s.Missed, *ring)
		default:
			s.Planted++
			s.Detected++
		}
	}
}
