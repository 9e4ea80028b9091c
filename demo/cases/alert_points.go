package cases

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fintrans/demo/harness"
	"fintrans/internal/alert"
)

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
	awaitAlertPointsWithin(t, s, 10*time.Second, different) // what is committed is there
	term(t, in)
}

// awaitAlertPoints waits until InfluxDB holds exactly these alerts, each as one point.
func awaitAlertPoints(t testing.TB, s *harness.System, want []alert.Alert) {
	t.Helper()
	awaitAlertPointsWithin(t, s, harness.Patience, want)
}

func awaitAlertPointsWithin(t testing.TB, s *harness.System, limit time.Duration, want []alert.Alert) {
	t.Helper()
	points := map[string]string{}
	for _, a := range want {
		key := fmt.Sprintf("%s/%d %d", a.Topic, a.Partition, int64(a.Time)*1_000_000+a.Offset%1_000_000)
		points[key] = fmt.Sprint(a.Source, a.Target, a.Total, a.Threshold, a.Window, a.Transfers, int64(a.First), int64(a.Last), a.Offset,
			strings.Join(a.Cities, ", "))
	}
	harness.EventuallyWithin(t, limit, func() (bool, string) {
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
	s.Query(`DROP RETENTION POLICY "month" ON fintrans`)
	det.Restart() // makes the topic again
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
