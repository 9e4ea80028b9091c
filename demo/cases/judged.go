package cases

import (
	"testing"

	"fintrans/demo/harness"
	"fintrans/demo/oracle"
)

// judgeAlerts checks the alerts of one or several detectors over all their lives, and returns how many it
// knows to be repeats. All pairs have to alert as the oracle allows; the alerts of pairs that are
// in one city and in order there are known to the dollar.
func judgeAlerts(t testing.TB, rule oracle.Rule, got []oracle.Alert, records []harness.Record) (repeats int) {
	t.Helper()
	for _, wrong := range rule.Check(got, transfers(records)) {
		t.Error(wrong)
	}
	ordered := inOrderPairs(records)
	var known []harness.Record
	for _, r := range records {
		if ordered[pairOf(r)] {
			known = append(known, r)
		}
	}
	var own []oracle.Alert
	for _, alert := range got {
		if ordered[alert.Pair] {
			own = append(own, alert)
		}
	}
	want := rule.Replay(transfers(known))
	difference := oracle.Compare(own, want)
	if len(difference.Missing) > 0 || len(difference.Unexpected) > 0 {
		t.Errorf("of pairs in order in one city: %d alerts, want %d and repeats of them alone: %+v", len(own), len(want), difference)
	}
	t.Logf("%d transactions, %d alerts; of %d alerts of pairs in order in one city %d are repeats", len(records), len(got), len(own), difference.Repeated)
	return difference.Repeated
}

// inOrderPairs are the pairs that are in one city, in the order of their times.
func inOrderPairs(records []harness.Record) map[oracle.Pair]bool {
	ordered, last := map[oracle.Pair]bool{}, map[oracle.Pair]harness.Record{}
	for _, r := range records {
		pair := pairOf(r)
		before, known := last[pair]
		ordered[pair] = !known || ordered[pair] && before.City == r.City && !r.Time.Before(before.Time)
		last[pair] = r
	}
	return ordered
}

func pairOf(r harness.Record) oracle.Pair {
	t := fields(r.Value)
	return oracle.Pair{Source: t.Source, Target: t.Target}
}

// alertsOf are the alerts of several detectors.
func alertsOf(t testing.TB, detectors ...*harness.Process) []oracle.Alert {
	t.Helper()
	var all []oracle.Alert
	for _, p := range detectors {
		all = append(all, alerts(t, p)...)
	}
	return all
}
