package chaos

import (
	"fmt"
	"maps"
	"slices"

	"fintrans/demo/ledger"
	"fintrans/demo/oracle"
)

// Evidence is what was found after a run.
type Evidence struct {
	Rule         oracle.Rule
	Records      []ledger.Record // that are in the topics
	Bad          int             // records among them that are no transactions
	Acknowledged int64           // transactions that the generator has counted as acknowledged
	Account      *ledger.Account // of the records, with the points that InfluxDB has
	Lines        []oracle.Alert  // on the stdout of all detectors
	Published    []ledger.Alert  // in the alert topic
	Stored       []ledger.Alert  // in InfluxDB
	Grown        bool            // whether topics have grown
	Orderly      bool            // nothing befell the services but SIGTERM, and nothing servers and network
	Complaints   []string        // what was not as it should be while it ran, one line each
}

// Alerts is what was found of alerts in one of the places where they go.
type Alerts struct {
	Found    int
	Missing  int // of those that the episodes need at least
	Outside  int // of no episode of their pair, or with a total that none of its episodes has
	Repeated int // beyond one for each episode
}

// Verdict is what came of a run.
type Verdict struct {
	Transactions, Acknowledged int64
	Older                      int64 // transactions that InfluxDB need not have any more
	AppendedTwice              int   // transactions that the generator has sent once
	Lost                       int64 // transactions without a point
	Duplicated                 int64 // points that no transaction stands for
	Episodes                   int
	Lines, Published           Alerts
	Unstored                   int      // published alerts that InfluxDB does not have
	Unpublished                int      // alerts of InfluxDB that were not published
	Broken                     []string // what was promised and not kept, one line each
}

// Judge compares what was found with what was promised.
func Judge(e Evidence) Verdict {
	v := Verdict{
		Transactions: int64(len(e.Records)), Acknowledged: e.Acknowledged,
		Older: e.Account.Older().Count, Lost: e.Account.Lost(), Duplicated: e.Account.Surplus(),
		Broken: slices.Clone(e.Complaints),
	}
	v.Broken = append(v.Broken, e.Account.Differences()...)
	v.judgeLog(e)
	pairs := byPartition(e.Records)
	if !e.Grown {
		v.Broken = append(v.Broken, scattered(pairs)...)
	}
	for _, own := range pairs {
		for _, transfers := range own {
			v.Episodes += len(e.Rule.Episodes(transfers))
		}
	}
	v.Lines = v.judgeAlerts("on stdout", e.Rule, pairs, e.Lines)
	different, again := once(e.Published)
	v.Published = v.judgeAlerts("published", e.Rule, pairs, different)
	v.Published.Found, v.Published.Repeated = len(e.Published), v.Published.Repeated+again
	v.judgeStored(e)
	if e.Orderly {
		v.judgeOrder(e, len(different), again)
	}
	return v
}

// judgeLog looks at what the generator has appended.
func (v *Verdict) judgeLog(e Evidence) {
	if e.Bad > 0 {
		v.breaks("%d records in the topics are no transactions", e.Bad)
	}
	if v.Acknowledged > v.Transactions {
		v.breaks("the generator counts %d transactions as acknowledged, and %d are in the topics", v.Acknowledged, v.Transactions)
	}
	for _, r := range appendedTwice(e.Records) {
		v.AppendedTwice++
		if v.AppendedTwice == 1 {
			v.breaks("a transaction is in the topics twice, the second time at %s/%d offset %d: %+v", r.City, r.Partition, r.Offset, r.Transfer)
		}
	}
}

// appendedTwice returns the records that are the same transaction as one before. Two transactions of the same pair,
// amount and millisecond would be chance, and a rare one, but for those of a planted ring: they are of one pair, go out
// together in the first ring of a generator's life, and their amounts are within a few thousand. A ring tells how many they
// are, so one of them is there twice only if there are more.
func appendedTwice(records []ledger.Record) []ledger.Record {
	type ring struct {
		pair   oracle.Pair
		number uint64
	}
	ringOf := func(r ledger.Record) ring { return ring{oracle.Pair{Source: r.Source, Target: r.Target}, r.Ring} }
	transfers := map[ring]int{}
	for _, r := range records {
		transfers[ringOf(r)]++
	}
	var twice []ledger.Record
	seen := map[oracle.Transfer]bool{}
	for _, r := range records {
		if seen[r.Transfer] && (r.Ring == 0 || transfers[ringOf(r)] > r.RingTransfers) {
			twice = append(twice, r)
		}
		seen[r.Transfer] = true
	}
	return twice
}

func (v *Verdict) breaks(format string, args ...any) {
	v.Broken = append(v.Broken, fmt.Sprintf(format, args...))
}

// byPartition sorts transfers by pair, and those of a pair by partition number: what the detector adds up together.
// A pair is in several only where the topics have grown.
func byPartition(records []ledger.Record) map[oracle.Pair]map[int32][]oracle.Transfer {
	pairs := map[oracle.Pair]map[int32][]oracle.Transfer{}
	for _, r := range records {
		pair := oracle.Pair{Source: r.Source, Target: r.Target}
		if pairs[pair] == nil {
			pairs[pair] = map[int32][]oracle.Transfer{}
		}
		pairs[pair][r.Partition] = append(pairs[pair][r.Partition], r.Transfer)
	}
	return pairs
}

// scattered names pairs that are in several partition numbers, the first of them.
func scattered(pairs map[oracle.Pair]map[int32][]oracle.Transfer) []string {
	for pair, own := range pairs {
		if len(own) > 1 {
			return []string{fmt.Sprintf("the transactions of %v are in the partition numbers %v, want one", pair, slices.Sorted(maps.Keys(own)))}
		}
	}
	return nil
}

// judgeAlerts compares the alerts of one place with the episodes. What is wrong is among the broken promises, the
// first of each kind.
func (v *Verdict) judgeAlerts(where string, rule oracle.Rule, pairs map[oracle.Pair]map[int32][]oracle.Transfer, alerts []oracle.Alert) Alerts {
	a := Alerts{Found: len(alerts)}
	totals := map[oracle.Pair][]uint64{}
	for _, alert := range alerts {
		totals[alert.Pair] = append(totals[alert.Pair], alert.Total)
	}
	first := func(count, more int, format string, args ...any) int {
		if count == 0 {
			v.breaks("%s: "+format, append([]any{where}, args...)...)
		}
		return count + more
	}
	for pair, own := range pairs {
		least, episodes := 0, 0
		for _, transfers := range own {
			least += rule.Fewest(transfers)
			episodes += len(rule.Episodes(transfers))
		}
		found := len(totals[pair])
		if found < least {
			a.Missing = first(a.Missing, least-found, "%v: %d alerts for %d episodes, which need %d at least", pair, found, episodes, least)
		}
		a.Repeated += max(0, found-max(episodes, least))
	}
	for pair, found := range totals {
		best := uint64(0)
		for _, transfers := range pairs[pair] {
			best = max(best, rule.Best(transfers))
		}
		for _, total := range found {
			if total <= rule.Threshold || total > best {
				a.Outside = first(a.Outside, 1, "%v: an alert totals %d, but the largest sum of the pair is %d and the threshold %d",
					pair, total, best, rule.Threshold)
			}
		}
	}
	return a
}

// judgeOrder looks at what only a fault excuses. The alert topic knows which transaction set off which alert, and a line
// does not: there is one for each of the different alerts.
func (v *Verdict) judgeOrder(e Evidence, different, again int) {
	if again > 0 || len(e.Lines) != different {
		v.breaks("nothing befell the services but SIGTERM, and alerts are repeated: %d were published, %d of them again, and there are %d lines",
			len(e.Published), again, len(e.Lines))
	}
	if v.Acknowledged != v.Transactions {
		v.breaks("nothing befell the generator but SIGTERM: it counts %d transactions as acknowledged, and %d are in the topics",
			v.Acknowledged, v.Transactions)
	}
}

// once are the alerts without those that are there again, and how many those were.
func once(all []ledger.Alert) (different []oracle.Alert, again int) {
	known := map[ledger.Trigger]bool{}
	for _, a := range all {
		if known[a.Trigger] {
			again++
			continue
		}
		known[a.Trigger] = true
		different = append(different, a.Alert)
	}
	return different, again
}

// judgeStored compares the alerts of InfluxDB with those that were published: each is one point.
func (v *Verdict) judgeStored(e Evidence) {
	published, stored := map[ledger.Trigger]bool{}, map[ledger.Trigger]bool{}
	for _, a := range e.Published {
		published[a.Trigger] = true
	}
	for _, a := range e.Stored {
		stored[a.Trigger] = true
		if !published[a.Trigger] {
			v.Unpublished++
		}
	}
	for trigger := range published {
		if !stored[trigger] {
			v.Unstored++
		}
	}
	if v.Unpublished > 0 {
		v.breaks("InfluxDB has %d alerts that were not published", v.Unpublished)
	}
	if v.Unstored > 0 {
		v.breaks("InfluxDB does not have %d of the %d published alerts", v.Unstored, len(published))
	}
	if more := len(e.Stored) - len(stored); more > 0 {
		v.breaks("InfluxDB has %d alerts twice", more)
	}
}
