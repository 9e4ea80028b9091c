package cases

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"fintrans/demo/embedded"
	"fintrans/demo/harness"
	"fintrans/demo/oracle"
	"fintrans/internal/alert"
)

// alertTopic are the cases of the alert topic: what the detector publishes, and what the ingest makes of it.
func alertTopic() []Case {
	return []Case{
		{"AlertsArePublished", AlertsArePublished},
		{"DetectorWithAlertTopicKilledUnderLoad", DetectorWithAlertTopicKilledUnderLoad},
		{"AlertTopicIsCreatedAgain", AlertTopicIsCreatedAgain},
		{"AlertTopicHasTooFewPartitions", AlertTopicHasTooFewPartitions},
		{"AlertsArePoints", AlertsArePoints},
	}
}

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

// alertsTo is the name of the alert topic in the cases.
const alertsTo = "alerts"

// published are the alerts of the alert topic, those that are there twice included.
func published(t testing.TB, s *harness.System) []alert.Alert {
	t.Helper()
	var found []alert.Alert
	for _, r := range s.Log(alertsTo) {
		a, reason := alert.Parse(r.Value)
		if reason != alert.None {
			t.Fatalf("%s/%d offset %d is no alert, because of %v: %q", r.City, r.Partition, r.Offset, reason, r.Value)
		}
		if key := fmt.Sprintf("%d %d", a.Source, a.Target); string(r.Key) != key || r.Partition != a.Partition {
			t.Errorf("%s/%d offset %d has the key %q, want %q and partition %d", r.City, r.Partition, r.Offset, r.Key, key, a.Partition)
		}
		found = append(found, a)
	}
	return found
}

// identity is the transaction that set an alert off.
func identity(a alert.Alert) string {
	return fmt.Sprintf("%s/%d offset %d", a.Topic, a.Partition, a.Offset)
}

// once are the alerts without those that are there again, and how many those were.
func once(all []alert.Alert) (different []alert.Alert, repeats int) {
	known := map[string]bool{}
	for _, a := range all {
		if known[identity(a)] {
			repeats++
			continue
		}
		known[identity(a)] = true
		different = append(different, a)
	}
	return different, repeats
}

// asLines are alerts as the oracle knows them: those of the lines.
func asLines(all []alert.Alert) []oracle.Alert {
	lines := make([]oracle.Alert, len(all))
	for i, a := range all {
		lines[i] = oracle.Alert{Pair: oracle.Pair{Source: a.Source, Target: a.Target}, Total: a.Total}
	}
	return lines
}

// awaitPublished waits until the detector has had so many alerts acknowledged in this life, and owes none.
func awaitPublished(t testing.TB, det *harness.Process, alerts int) {
	t.Helper()
	harness.Eventually(t, func() (bool, string) {
		done, _ := det.Metric("laundering_detector_alerts_published_total", nil)
		left, _ := det.Metric("laundering_detector_alerts_unpublished", nil)
		return int(done) >= alerts && left == 0, fmt.Sprintf("%v alerts are published and %v are not, want %d and none", done, left, alerts)
	})
}

// publishing are a detector's settings with the alert topic.
func publishing(env harness.Env) harness.Env { return with(env, "ALERTS_TOPIC", alertsTo) }

// AlertsArePublished shows that the alert topic, which the detector creates like a city's, has each alert once,
// with what the lines say and what is behind them.
func AlertsArePublished(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{Partitions: 4})
	records := fiveCities.transactions()
	s.Produce(records...)
	det := s.Start(detector, publishing(rules(tenMinutes, 10*time.Minute)))
	awaitJudged(t, det, len(records))
	awaitPublished(t, det, 1)
	s.AwaitCommitted(detector, harness.Cities()...)
	term(t, det)

	all := published(t, s)
	if _, repeats := once(all); repeats > 0 {
		t.Errorf("%d alerts were published again", repeats)
	}
	if got, want := inOrder(asLines(all)), inOrder(alerts(t, det)); !slices.Equal(got, want) || len(want) < 100 {
		t.Errorf("%d alerts are published, %d are on stdout: %+v", len(got), len(want), oracle.Compare(got, want))
	}
	if ends := s.EndOffsets(alertsTo)[alertsTo]; len(ends) != 4 {
		t.Errorf("the alert topic has %d partitions, want 4 as the cities'", len(ends))
	}
	behindThem(t, s, all)
}

// behindThem compares alerts with the transactions in the topics.
func behindThem(t testing.TB, s *harness.System, all []alert.Alert) {
	t.Helper()
	log := map[string]harness.Record{}
	pairs := map[oracle.Pair][]harness.Record{}
	for _, r := range s.Log(harness.Cities()...) {
		log[fmt.Sprintf("%s/%d offset %d", r.City, r.Partition, r.Offset)] = r
		pairs[pairOf(r)] = append(pairs[pairOf(r)], r)
	}
	for _, a := range all {
		r := log[identity(a)]
		pair := oracle.Pair{Source: a.Source, Target: a.Target}
		if r.Value == nil || pairOf(r) != pair || r.Time.UnixMilli() != int64(a.Time) {
			t.Fatalf("%+v was set off by %+v", a, r)
		}
		if a.Threshold != tenMinutes.Threshold || a.Window != tenMinutes.Window {
			t.Fatalf("%+v: want threshold %d and window %d ms", a, tenMinutes.Threshold, tenMinutes.Window)
		}
		// Late ones may have come afterwards: the sum of what is in the topics now is no smaller.
		total, transfers, cities := int64(0), 0, map[string]bool{}
		for _, other := range pairs[pair] {
			if at := other.Time.UnixMilli(); at >= int64(a.First) && at <= int64(a.Last) {
				total += int64(fields(other.Value).Amount)
				transfers++
				cities[other.City] = true
			}
		}
		if total < int64(a.Total) || transfers < a.Transfers || len(cities) < len(a.Cities) || int64(a.Last-a.First) >= a.Window {
			t.Fatalf("%+v: from first to last there are %d transfers with %d in %v", a, transfers, total, cities)
		}
	}
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

// DetectorWithAlertTopicKilledUnderLoad is DetectorKilledUnderLoad with the alert topic, and an ingest that is
// killed as well: the topic has each alert that is needed, and InfluxDB each of them as one point.
func DetectorWithAlertTopicKilledUnderLoad(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	s.CreateTopics(6, alertsTo)
	det := s.Start(detector, publishing(rules(tenMinutes, 10*time.Minute)))
	in := s.Start(ingest, publishing(quick))
	traffic := startStream(t, s, mixed(17), load)
	for range 5 {
		awaitLines(t, det, len(det.Stdout())+20)
		det.Kill()
		in.Kill()
		det.Restart()
		in.Restart()
	}
	records := traffic.stop()
	s.AwaitCommitted(detector, harness.Cities()...)
	term(t, det)
	lines := alerts(t, det)
	judgeAlerts(t, tenMinutes, lines, records)
	all := published(t, s)
	different, repeats := once(all)
	t.Logf("%d lines, %d records in the alert topic, of which %d are repeats", len(lines), len(all), repeats)
	judgeAlerts(t, tenMinutes, asLines(different), records)
	awaitAlertPoints(t, s, different)
	term(t, in)
}

// AlertTopicIsCreatedAgain deletes the alert topic, and with it what was published, and sends more: the
// detector makes it again.
func AlertTopicIsCreatedAgain(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	s.CreateTopics(6, alertsTo)
	det := s.Start(detector, publishing(rules(tenMinutes, 10*time.Minute)))
	pairs := pairsOf(6, 4, 2)
	now := time.UnixMilli(time.Now().UnixMilli())
	s.Produce(transfer("SF", now, pairs[0], 10_001))
	awaitPublished(t, det, 1)
	s.DeleteTopics(alertsTo)
	last := transfer("SF", now, pairs[1], 10_001)
	s.Produce(last)
	awaitPublished(t, det, 2)
	s.AwaitCommitted(detector, harness.Cities()...)
	term(t, det)
	if got, want := asLines(published(t, s)), tenMinutes.Replay(transfers([]harness.Record{last})); !slices.Equal(got, want) {
		t.Errorf("published %v, want %v", got, want)
	}
}

// AlertTopicHasTooFewPartitions gives the alert topic one partition: what belongs into it is published, the rest
// when there are as many as the cities have, and neither does without its line meanwhile.
func AlertTopicHasTooFewPartitions(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{Partitions: 2})
	s.CreateTopics(1, alertsTo)
	det := s.Start(detector, publishing(rules(tenMinutes, 10*time.Minute)))
	now := time.UnixMilli(time.Now().UnixMilli())
	records := []harness.Record{
		transfer("Tokyo", now, pairsOf(2, 0, 1)[0], 10_001), transfer("Tokyo", now, pairsOf(2, 1, 1)[0], 10_001),
	}
	s.Produce(records...)
	awaitLines(t, det, 2)
	awaitMetric(t, det, "laundering_detector_alerts_published_total", 1)
	awaitMetric(t, det, "laundering_detector_publish_retries_total", 2)
	if !slices.ContainsFunc(det.Log(), func(entry string) bool {
		return strings.Contains(entry, "the alert topic alerts has no partition 1: add partitions")
	}) {
		t.Error("the log does not say that the alert topic needs partitions")
	}
	s.AddPartitions(1, alertsTo)
	s.AwaitCommitted(detector, harness.Cities()...)
	term(t, det)
	want := tenMinutes.Replay(transfers(records))
	if got := asLines(published(t, s)); !slices.Equal(inOrder(got), inOrder(want)) {
		t.Errorf("published %v, want %v", got, want)
	}
}

// AlertsArePoints starts the ingest before there is an alert topic, and kills it in mid-stream: each alert is
// one point, and what others put into the topic is counted and skipped.
func AlertsArePoints(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	in := s.Start(ingest, publishing(quick))
	records := fiveCities.transactions()
	s.Produce(records...)
	in.AwaitReady() // the money does not wait for the alert topic, and neither does who waits for it
	det := s.Start(detector, publishing(rules(tenMinutes, 10*time.Minute)))
	awaitPublished(t, det, 100)
	in.Kill()
	for _, noise := range []string{"", "noise", "{}", `{"source":1}`} {
		s.Produce(harness.Record{City: alertsTo, Partition: 1, Key: []byte("1 2"), Value: []byte(noise), Time: time.Now()})
	}
	in.Restart()
	s.AwaitCommitted(detector, harness.Cities()...)
	s.AwaitCommitted(ingest+"-alerts", alertsTo)
	term(t, det)
	bad, _ := in.Metric("influx_ingest_alerts_bad_records_total", nil)
	if bad != 4 {
		t.Errorf("%v bad records in the alert topic, want 4", bad)
	}
	in.AwaitLog(`session began" claims="London`) // not while it is being let into the group of the money, either
	in.Kill()
	in.Restart()
	var all []alert.Alert
	for _, r := range s.Log(alertsTo) {
		if a, reason := alert.Parse(r.Value); reason == alert.None {
			all = append(all, a)
		}
	}
	different, _ := once(all)
	awaitAlertPoints(t, s, different)
	term(t, in)
}

// awaitAlertPoints waits until InfluxDB holds exactly these alerts, each as one point.
func awaitAlertPoints(t testing.TB, s *harness.System, want []alert.Alert) {
	t.Helper()
	points := map[string]string{}
	for _, a := range want {
		key := fmt.Sprintf("%s/%d %d", a.Topic, a.Partition, int64(a.Time)*1_000_000+a.Offset%1_000_000)
		points[key] = fmt.Sprint(a.Source, a.Target, a.Total, a.Threshold, a.Window, a.Transfers, int64(a.First), int64(a.Last), a.Offset,
			strings.Join(a.Cities, ", "))
	}
	harness.Eventually(t, func() (bool, string) {
		got := alertPoints(s)
		return len(got) == len(points) && firstDifference(got, points) == "none",
			fmt.Sprintf("%d points of alerts, want %d: %s", len(got), len(points), firstDifference(got, points))
	})
}

// alertPoints is what InfluxDB holds of alerts.
func alertPoints(s *harness.System) map[string]string {
	got := map[string]string{}
	series, err := s.TryQuery(`SELECT source, target, total, threshold, window_ms, transfers, first_ms, last_ms, "offset", cities FROM "month"."alerts" GROUP BY city, partition`)
	if err != nil {
		return got
	}
	for _, found := range series {
		for row, values := range found.Values {
			key := fmt.Sprintf("%s/%s %d", found.Tags["city"], found.Tags["partition"], found.Integer(row, "time"))
			n := func(column string) int64 { return found.Integer(row, column) }
			got[key] = fmt.Sprint(n("source"), n("target"), n("total"), n("threshold"), n("window_ms"), n("transfers"), n("first_ms"), n("last_ms"), n("offset"),
				values[len(values)-1])
		}
	}
	return got
}

// MoneyDoesNotWaitForAlerts lets nobody read the alert topic, and then takes it away: the money flows, and the
// alerts come when they can, also when their retention policy was dropped.
func MoneyDoesNotWaitForAlerts(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	s.CreateTopics(6, alertsTo)
	in, det := s.Start(ingest, publishing(quick)), s.Start(detector, publishing(rules(tenMinutes, 10*time.Minute)))
	records := recent.transactions()
	third := len(records) / 3
	release := refusing(t, s).RefuseFetch(alertsTo)
	s.Produce(records[:third]...)
	s.AwaitVolumes(volumes(records[:third]))
	release()
	s.AwaitCommitted(detector, harness.Cities()...)
	different, _ := once(published(t, s))
	awaitAlertPoints(t, s, different)

	term(t, det, in)
	s.DeleteTopics(alertsTo)
	in.Restart()
	s.Produce(records[third : 2*third]...)
	s.AwaitVolumes(volumes(records[:2*third]))
	det.Restart() // makes the topic again
	s.Query(`DROP RETENTION POLICY "month" ON fintrans`)
	s.Produce(records[2*third:]...)
	s.AwaitVolumes(volumes(records))
	s.AwaitCommitted(detector, harness.Cities()...)
	different, _ = once(published(t, s))
	if len(different) == 0 {
		t.Error("no alert after the alert topic was made again")
	}
	awaitAlertPoints(t, s, different)
	term(t, in, det)
}
