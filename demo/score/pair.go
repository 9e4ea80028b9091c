package score

import (
	"slices"
	"time"

	"fintrans/demo/ledger"
	"fintrans/demo/oracle"
)

// pair is all that is known of a pair of accounts.
type pair struct {
	transfers []oracle.Transfer
	before    []oracle.Transfer // those of transfers that are from before the run
	ring      []oracle.Transfer // those of transfers that belong to rings
	alerts    []alert           // in the order in which they came
	episodes  []episode
}

// episode is a time in which the pair was over the threshold.
type episode struct {
	oracle.Episode
	earlier bool   // began before the run
	ring    bool   // a ring has a share in it
	alert   *alert // the first of it
}

// alert is an alert and what is found out about it.
type alert struct {
	Alert
	taken     bool // it is the first of an episode
	possible  bool // there is an episode that it may be of
	explained bool // ... in which a ring has a share
}

func (p *pair) add(r ledger.Record) {
	p.transfers = append(p.transfers, r.Transfer)
	if r.Ring != 0 {
		p.ring = append(p.ring, r.Transfer)
	}
}

// match finds the episodes of the pair, and the alerts of each.
func (p *pair) match(rule oracle.Rule) {
	earlier := rule.Episodes(p.before)
	for _, e := range rule.Episodes(p.transfers) {
		known := episode{Episode: e}
		known.earlier = slices.ContainsFunc(earlier, func(old oracle.Episode) bool { return old.From >= e.From && old.To <= e.To })
		known.ring = slices.ContainsFunc(p.ring, func(t oracle.Transfer) bool {
			return t.At < e.To && (rule.Window == 0 || t.At+rule.Window > e.From)
		})
		p.episodes = append(p.episodes, known)
	}
	for i := range p.alerts {
		p.assign(rule, &p.alerts[i])
	}
}

// assign gives the alert to the latest episode that it may be of and that has none yet.
func (p *pair) assign(rule oracle.Rule, a *alert) {
	for i := range p.episodes {
		e := &p.episodes[len(p.episodes)-1-i]
		if !a.mayBeOf(e.Episode, rule) {
			continue
		}
		a.possible = true
		a.explained = a.explained || e.ring
		if e.alert == nil && !e.earlier && !a.taken {
			e.alert, a.taken = a, true
		}
	}
}

// mayBeOf says whether the alert can be of the episode, by its total and by when it came.
func (a *alert) mayBeOf(e oracle.Episode, rule oracle.Rule) bool {
	return a.Total > rule.Threshold && a.Total <= e.Max && !a.Came.Add(early).Before(time.UnixMilli(e.From))
}

// add counts the alerts of a pair, and how long those took that a ring explains.
func (s *Score) add(p *pair) {
	for _, a := range p.alerts {
		switch {
		case !a.taken && a.possible:
			s.Repeated++
			continue
		case !a.explained:
			s.Unexplained = append(s.Unexplained, Unexplained{Alert: a.Alert, Wrong: !a.possible})
		}
		s.Alerts++
	}
	for _, e := range p.episodes {
		if e.ring && e.alert != nil {
			s.Latencies = append(s.Latencies, e.alert.Came.Sub(time.UnixMilli(e.From)))
		}
	}
}
