package cases

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"fintrans/demo/embedded"
	"fintrans/demo/harness"
	"fintrans/demo/oracle"
)

// EmbeddedOnly are the cases that need what only the embedded brokers can be made to do: to refuse one kind
// of request.
func EmbeddedOnly() []Case {
	return []Case{
		{"PublishedAlertsAreNotRepeated", PublishedAlertsAreNotRepeated},
		{"UnpublishedAlertsAreNotLost", UnpublishedAlertsAreNotLost},
		{"LinesGoOnWithoutAlertTopic", LinesGoOnWithoutAlertTopic},
		{"DrainOfUnpublishedAlertsSaysSo", DrainOfUnpublishedAlertsSaysSo},
		{"MoneyDoesNotWaitForAlerts", MoneyDoesNotWaitForAlerts},
		{"StalledCityDelaysNoOther", StalledCityDelaysNoOther},
	}
}

// refusing are brokers that can be made to refuse.
func refusing(t testing.TB, s *harness.System) *embedded.Kafka {
	t.Helper()
	brokers, ok := s.Kafka.(*embedded.Kafka)
	if !ok {
		t.Fatalf("%T cannot be made to refuse requests: this case is for the embedded brokers", s.Kafka)
	}
	return brokers
}

// PublishedAlertsAreNotRepeated kills the detector when alerts are out and published and cannot be committed:
// the next judges their transactions again and does not alert again.
func PublishedAlertsAreNotRepeated(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	s.CreateTopics(6, alertsTo)
	records := oneCity.transactions()
	want := tenMinutes.Replay(transfers(records))
	det := s.Start(detector, publishing(rules(tenMinutes, 10*time.Minute)))
	s.Produce(records[:100]...)
	s.AwaitCommitted(detector, harness.Cities()...)
	release := refusing(t, s).RefuseCommits(detector)
	s.Produce(records[100:]...)
	awaitPublished(t, det, len(want))
	awaitJudged(t, det, len(records))
	det.Kill()
	if at := sum(s.Committed(detector)); at > 100 {
		t.Fatalf("%d records are committed, which should have been impossible", at)
	}
	release()
	det.Restart()
	s.AwaitCommitted(detector, harness.Cities()...)
	known, _ := det.Metric("laundering_detector_alerts_known_total", nil)
	term(t, det)
	if got := alerts(t, det); !slices.Equal(inOrder(got), inOrder(want)) {
		t.Errorf("%d alerts in two lives, want %d: %+v", len(got), len(want), oracle.Compare(got, want))
	}
	if got := asLines(published(t, s)); !slices.Equal(inOrder(got), inOrder(want)) {
		t.Errorf("%d alerts published, want %d: %+v", len(got), len(want), oracle.Compare(got, want))
	}
	if int(known) < len(want)-100 {
		t.Errorf("%v alerts were known, want nearly all of %d", known, len(want))
	}
}

// UnpublishedAlertsAreNotLost kills the detector when alerts are out and could not be published: nothing that
// was judged after the first of them is committed, of whatever city, and the next publishes all.
func UnpublishedAlertsAreNotLost(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{Partitions: 1})
	s.CreateTopics(1, alertsTo)
	release := refusing(t, s).RefuseProduce(alertsTo)
	det := s.Start(detector, publishing(rules(tenMinutes, time.Minute)))
	begin := time.UnixMilli(time.Now().Add(-time.Hour).UnixMilli())
	var first, others []harness.Record
	for i, pair := range pairsOf(1, 0, 100) {
		at := begin.Add(time.Duration(i) * time.Millisecond)
		first = append(first, transfer("London", at, pair, 10_001))
		// Silent, because the pair is over already; without the first, it would be over as well.
		others = append(others, transfer("Tokyo", at.Add(time.Second), pair, 10_001))
	}
	want := tenMinutes.Replay(transfers(first))
	s.Produce(first...)
	awaitLines(t, det, len(want))
	s.Produce(others...)
	awaitJudged(t, det, len(first)+len(others))
	awaitStandstill(t, s, detector)
	if committed := sum(s.Committed(detector)); committed > 0 {
		t.Errorf("%d transactions are committed, of which the first 100 have unpublished alerts", committed)
	}
	det.Kill()
	release()
	det.Restart()
	s.AwaitCommitted(detector, harness.Cities()...)
	term(t, det)
	lostNothing(t, alerts(t, det), want)
	different, _ := once(published(t, s))
	lostNothing(t, asLines(different), want)
}

// LinesGoOnWithoutAlertTopic refuses what is published: lines go on, commits wait, and are done when it is
// taken again.
func LinesGoOnWithoutAlertTopic(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	s.CreateTopics(6, alertsTo)
	release := refusing(t, s).RefuseProduce(alertsTo)
	records := oneCity.transactions()
	want := tenMinutes.Replay(transfers(records))
	det := s.Start(detector, publishing(rules(tenMinutes, 10*time.Minute)))
	s.Produce(records...)
	awaitLines(t, det, len(want))
	awaitJudged(t, det, len(records))
	awaitMetric(t, det, "laundering_detector_publish_retries_total", 2)
	if committed, first := sum(s.Committed(detector)), firstAlert(t, s, records); committed > first {
		t.Errorf("%d records are committed, want none behind an alert that is not published: %d at most", committed, first)
	}
	awaitNoLag(t, det)
	release()
	s.AwaitCommitted(detector, harness.Cities()...)
	term(t, det)
	if got := alerts(t, det); !slices.Equal(inOrder(got), inOrder(want)) {
		t.Errorf("%d alerts, want %d: %+v", len(got), len(want), oracle.Compare(got, want))
	}
	different, _ := once(published(t, s))
	if difference := oracle.Compare(asLines(different), want); !reflect.ValueOf(difference).IsZero() {
		t.Errorf("%d alerts published, want %d: %+v", len(different), len(want), difference)
	}
}

// firstAlert is how many records of all partitions come before the first of their partition that alerts.
func firstAlert(t testing.TB, s *harness.System, records []harness.Record) int64 {
	t.Helper()
	over := map[oracle.Pair]bool{}
	for _, a := range tenMinutes.Replay(transfers(records)) {
		over[a.Pair] = true
	}
	before, reached := int64(0), map[int32]bool{}
	sums := map[oracle.Pair][]oracle.Transfer{}
	for _, r := range s.Log(harness.Cities()...) {
		pair := pairOf(r)
		sums[pair] = append(sums[pair], transfers([]harness.Record{r})...)
		if over[pair] && len(tenMinutes.Replay(sums[pair])) > 0 {
			reached[r.Partition] = true
		}
		if !reached[r.Partition] {
			before++
		}
	}
	return before
}

// DrainOfUnpublishedAlertsSaysSo ends the detector with SIGTERM while the alert topic takes nothing: it
// cannot drain, and says from where on it will read again.
func DrainOfUnpublishedAlertsSaysSo(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	s.CreateTopics(6, alertsTo)
	release := refusing(t, s).RefuseProduce(alertsTo)
	det := s.Start(detector, publishing(rules(tenMinutes, 10*time.Minute)))
	pair := pairsOf(6, 2, 1)[0]
	now := time.UnixMilli(time.Now().UnixMilli())
	records := []harness.Record{transfer("NYC", now, pair, 9999), transfer("NYC", now, pair, 2)}
	s.Produce(records...)
	awaitLines(t, det, 1)
	if status := det.Term(); status != 1 {
		t.Errorf("exit status %d, want 1", status)
	}
	oneError(t, det, "topic alerts did not take all alerts that are out")
	oneError(t, det, "NYC/2 from offset 1 (1 alerts)")
	if at := s.Committed(detector)["NYC"][2]; at > 1 {
		t.Errorf("%d records of NYC/2 are committed, want 1: the second alerts", at)
	}
	release()
	det.Restart()
	s.AwaitCommitted(detector, harness.Cities()...)
	term(t, det)
	want := tenMinutes.Replay(transfers(records))
	lostNothing(t, alerts(t, det), want)
	if got := asLines(published(t, s)); !slices.Equal(got, want) {
		t.Errorf("published %v, want %v", got, want)
	}
}
