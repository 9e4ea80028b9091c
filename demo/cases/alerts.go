package cases

import (
	"slices"
	"testing"
	"time"

	"fintrans/demo/harness"
	"fintrans/demo/oracle"
)

const minute = 60_000 // milliseconds

// oneCity has all transactions in London, in the order of their times.
var oneCity = flow{seed: 2, number: 20_000, accounts: 30, largest: 4000, span: 2 * time.Hour, weights: []int{1}}

// fiveCities have transactions of all cities, of very different number, many of them late: by less than
// nine minutes within their own log.
var fiveCities = flow{
	seed: 3, number: 20_000, accounts: 30, largest: 4000, span: 2 * time.Hour, weights: []int{60, 25, 10, 4, 1},
	jitter: 9 * time.Minute,
}

// tenMinutes is the rule under which some of the pairs of both are over for a while, some again
// and again, and some never.
var tenMinutes = oracle.Rule{Threshold: 10_000, Window: 10 * minute}

// AlertsInOrder shows that in order within one topic there is exactly one alert for each episode, on the
// transaction that crosses, with the sum at that instant.
func AlertsInOrder(t testing.TB, start harness.Starter) {
	alertExactly(t, start, rules(tenMinutes, 10*time.Minute), tenMinutes.Replay)
}

// AlertsInOrderEvery shows the same of alerts that are repeated.
func AlertsInOrderEvery(t testing.TB, start harness.Starter) {
	env := with(rules(tenMinutes, 10*time.Minute), "ALERT_REPEAT", "every")
	alertExactly(t, start, env, tenMinutes.ReplayEvery)
}

// AlertsOf2016 shows the settings that make fintrans the system of 2016: every transaction after which
// the sum since the beginning of the topics is over 8000.
func AlertsOf2016(t testing.TB, start harness.Starter) {
	rule := oracle.Rule{Threshold: 8000}
	env := with(rules(rule, 10*time.Minute), "ALERT_REPEAT", "every")
	env["ALERT_WINDOW"] = "0"
	alertExactly(t, start, env, rule.ReplayEvery)
}

func alertExactly(t testing.TB, start harness.Starter, env harness.Env, replay func([]oracle.Transfer) []oracle.Alert) {
	s := harness.NewSystem(t, start, harness.Need{})
	records := boundaries(tenMinutes, oneCity.transactions())
	want := replay(transfers(records))
	if len(want) < 100 {
		t.Fatalf("the oracle expects %d alerts: too few to show anything", len(want))
	}
	det := s.Start(detector, env)
	s.Produce(records...)
	awaitJudged(t, det, len(records))
	term(t, det)
	got := alerts(t, det)
	if !slices.Equal(inOrder(got), inOrder(want)) {
		t.Errorf("%d alerts, want %d: %+v", len(got), len(want), oracle.Compare(got, want))
	}
}

// AlertsOfFiveCities shows that a backlog of five topics of very different size, with late records,
// alerts for exactly the pairs that are over at some time, in each of their episodes.
func AlertsOfFiveCities(t testing.TB, start harness.Starter) {
	alertTruly(t, start, harness.Need{Partitions: 1}, rules(tenMinutes, 10*time.Minute), tenMinutes.Check)
}

// AlertsOfFiveCitiesEvery shows the same of alerts that are repeated.
func AlertsOfFiveCitiesEvery(t testing.TB, start harness.Starter) {
	env := with(rules(tenMinutes, 10*time.Minute), "ALERT_REPEAT", "every")
	alertTruly(t, start, harness.Need{}, env, tenMinutes.CheckEvery)
}

func alertTruly(t testing.TB, start harness.Starter, need harness.Need, env harness.Env, check func([]oracle.Alert, []oracle.Transfer) []error) {
	s := harness.NewSystem(t, start, need)
	records := fiveCities.transactions()
	for some := range slices.Chunk(records, 1000) { // a fetch brings whole batches
		s.Produce(some...)
	}
	det := s.Start(detector, env)
	awaitJudged(t, det, len(records))
	term(t, det)
	report(t, check(alerts(t, det), transfers(records)))
}
