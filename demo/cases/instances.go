package cases

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"fintrans/demo/harness"
	"fintrans/demo/oracle"
)

// IngestsShareTheWork runs three instances, one of which is killed in mid-stream.
func IngestsShareTheWork(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	var in []*harness.Process
	for range 3 {
		in = append(in, s.Start(ingest, quick))
	}
	s.AwaitMembers(ingest, len(in))
	records := recent.transactions()
	half := len(records) / 2
	s.Produce(records[:half]...)
	s.AwaitVolumes(volumes(records[:half]))
	for _, p := range in {
		awaitMetric(t, p, "influx_ingest_points_total", 1) // each had its share
	}
	s.Produce(records[half:]...)
	in[0].Kill()
	s.AwaitVolumes(volumes(records))
	s.AwaitCommitted(ingest, harness.Cities()...)
	term(t, in[1:]...)
}

// DetectorsShareTheWork runs three instances: each has its share, all that a pair does is with one of them,
// and each alert comes once. Then one is killed, and the others take over what it had.
func DetectorsShareTheWork(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	var detectors []*harness.Process
	for range 3 {
		detectors = append(detectors, s.Start(detector, rules(tenMinutes, 10*time.Minute)))
	}
	s.AwaitMembers(detector, len(detectors))
	records := oneCity.transactions()
	want := tenMinutes.Replay(transfers(records))
	half := len(records) / 2
	s.Produce(records[:half]...)
	s.AwaitCommitted(detector, harness.Cities()...)
	once := tenMinutes.Replay(transfers(records[:half]))
	if got := shares(t, detectors, len(once)); !slices.Equal(inOrder(got), inOrder(once)) {
		t.Errorf("%d alerts, want %d: %+v", len(got), len(once), oracle.Compare(got, once))
	}

	s.Produce(records[half:]...)
	detectors[0].Kill()
	s.AwaitCommitted(detector, harness.Cities()...)
	term(t, detectors[1:]...)
	var got []oracle.Alert
	for _, p := range detectors {
		got = append(got, alerts(t, p)...)
	}
	lostNothing(t, got, want)
}

// shares returns the alerts of all instances, which run on, as soon as there are as many as expected; each must
// have some, and none for a pair of another.
func shares(t testing.TB, detectors []*harness.Process, expected int) []oracle.Alert {
	t.Helper()
	harness.Eventually(t, func() (bool, string) {
		lines := 0
		for _, p := range detectors {
			lines += len(p.Stdout())
		}
		return lines >= expected, fmt.Sprintf("%d alerts, want %d", lines, expected)
	})
	var all []oracle.Alert
	owner := map[oracle.Pair]*harness.Process{}
	for _, p := range detectors {
		own, err := oracle.ParseAlerts(p.Stdout())
		if err != nil {
			t.Fatal(err)
		}
		if len(own) == 0 {
			t.Errorf("%v has written no alert: it has no share of the work", p)
		}
		for _, alert := range own {
			if before, ok := owner[alert.Pair]; ok && before != p {
				t.Errorf("%v: alerts from %v and from %v", alert.Pair, before, p)
			}
			owner[alert.Pair] = p
		}
		all = append(all, own...)
	}
	return all
}

// MoreDetectorsThanPartitions runs seven instances on six partitions: one stands by, and is ready.
func MoreDetectorsThanPartitions(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	var detectors []*harness.Process
	for range 7 {
		detectors = append(detectors, s.Start(detector, rules(tenMinutes, 10*time.Minute)))
	}
	s.AwaitMembers(detector, len(detectors))
	records := fiveCities.transactions()
	s.Produce(records...)
	s.AwaitCommitted(detector, harness.Cities()...)
	for _, p := range detectors {
		p.AwaitReady()
	}
	term(t, detectors...) // then all that they wrote has been read, too
	var got []oracle.Alert
	idle := 0
	for _, p := range detectors {
		own := alerts(t, p)
		if len(own) == 0 {
			idle++
		}
		got = append(got, own...)
	}
	if idle != 1 {
		t.Errorf("%d instances without alerts, want 1", idle)
	}
	report(t, tenMinutes.Check(got, transfers(records)))
}
