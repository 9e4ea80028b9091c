package cases

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"fintrans/demo/harness"
	"fintrans/demo/oracle"
	"fintrans/internal/alert"
)

// alertTopic are the cases of the alert topic: what the detector publishes, and what the ingest makes of it.
func alertTopic() []Case {
	return []Case{
		{"AlertsArePublished", AlertsArePublished},
		{"FirstDrainPublishes", FirstDrainPublishes},
		{"DetectorWithAlertTopicKilledUnderLoad", DetectorWithAlertTopicKilledUnderLoad},
		{"AlertTopicIsCreatedAgain", AlertTopicIsCreatedAgain},
		{"AlertTopicHasTooFewPartitions", AlertTopicHasTooFewPartitions},
		{"AlertsArePoints", AlertsArePoints},
	}
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

// FirstDrainPublishes ends a detector with SIGTERM as soon as it has alerted for the first time, where nobody has created
// the alert topic: what the lines say is published.
func FirstDrainPublishes(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	s.Produce(fiveCities.transactions()...)
	det := s.Start(detector, publishing(rules(tenMinutes, 10*time.Minute)))
	awaitLines(t, det, 1)
	term(t, det)
	if got, want := inOrder(asLines(published(t, s))), inOrder(alerts(t, det)); !slices.Equal(got, want) {
		t.Errorf("%d alerts are published, %d are on stdout: %+v", len(got), len(want), oracle.Compare(got, want))
	}
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
	det.AwaitLog("the alert topic alerts has no partition 1: add partitions")
	s.AddPartitions(1, alertsTo)
	s.AwaitCommitted(detector, harness.Cities()...)
	term(t, det)
	want := tenMinutes.Replay(transfers(records))
	if got := asLines(published(t, s)); !slices.Equal(inOrder(got), inOrder(want)) {
		t.Errorf("published %v, want %v", got, want)
	}
}
