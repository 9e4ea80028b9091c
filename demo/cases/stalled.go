package cases

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"fintrans/demo/harness"
	"fintrans/demo/oracle"
)

func isTokyo(r harness.Record) bool { return r.City == "Tokyo" }

// StalledCityDelaysNoOther lets nobody read Tokyo for a while: the money and the alerts of the other four flow, and
// Tokyo's follow.
func StalledCityDelaysNoOther(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	in, det := s.Start(ingest, quick), s.Start(detector, rules(tenMinutes, 10*time.Minute))
	records := recent.transactions()
	half := len(records) / 2
	s.Produce(records[:half]...)
	s.AwaitVolumes(volumes(records[:half]))
	awaitJudged(t, det, half)

	release := refusing(t, s).StallFetch("Tokyo")
	s.Produce(records[half:]...)
	others := slices.DeleteFunc(slices.Clone(records), isTokyo)
	held := len(records[half:]) - len(slices.DeleteFunc(slices.Clone(records[half:]), isTokyo))
	harness.Eventually(t, func() (bool, string) {
		got, want := s.Volumes(), volumes(others)
		for city := range want {
			if got[city] != want[city] {
				return false, fmt.Sprintf("InfluxDB holds %+v of %s, want %+v", got[city], city, want[city])
			}
		}
		return true, ""
	})
	awaitJudged(t, det, len(records)-held)
	readable := append(slices.Clone(records[:half]), slices.DeleteFunc(slices.Clone(records[half:]), isTokyo)...)
	awaitAlertsOf(t, det, readable)
	if judged, _ := det.Metric("laundering_detector_records_total", nil); int(judged) != len(records)-held {
		t.Errorf("%v records were judged, of which nobody was to read %d", judged, held)
	}
	release()
	s.AwaitVolumes(volumes(records))
	awaitJudged(t, det, len(records))
	term(t, in, det)
	report(t, tenMinutes.Check(alerts(t, det), transfers(records)))
}

// freezer are brokers of which one can be frozen: it keeps its connections and answers nothing until it is thawed.
type freezer interface {
	Freeze(broker int) error
	Thaw(broker int) error
}

// FrozenBrokerStallsItsCityAlone freezes the broker that leads Tokyo and nothing else, beyond its session: the money and
// the alerts of the other four flow, and those of Tokyo when it has been thawed.
func FrozenBrokerStallsItsCityAlone(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{Brokers: 3, Partitions: harness.NoTopics})
	brokers, ok := s.Kafka.(freezer)
	if !ok {
		t.Fatalf("%T cannot be frozen: this case is for real brokers", s.Kafka)
	}
	// The groups' coordinators stay: without them nothing would flow until others have taken over.
	coordinators := s.Coordinators(ingest, detector)
	apart := slices.IndexFunc([]int32{0, 1, 2}, func(broker int32) bool { return !slices.Contains(coordinators, broker) })
	for i, city := range harness.Cities() {
		leader := (apart + 1 + i%2) % 3
		if city == "Tokyo" {
			leader = apart
		}
		s.CreateTopicOn(int32(leader), 6, city)
	}
	// Tokyo's come back older than what has been read by then: that must not make them late.
	in, det := s.Start(ingest, quick), s.Start(detector, rules(tenMinutes, time.Hour))
	records := recent.transactions()
	half := len(records) / 2
	s.Produce(records[:half]...)
	s.AwaitVolumes(volumes(records[:half]))
	awaitJudged(t, det, half)

	if err := brokers.Freeze(apart); err != nil {
		t.Fatal(err)
	}
	var held []harness.Record
	readable := slices.Clone(records[:half])
	for _, r := range records[half:] {
		if isTokyo(r) {
			held = append(held, r)
		} else {
			readable = append(readable, r)
		}
	}
	s.Produce(readable[half:]...)
	awaitUnstalled(t, s, det, readable)
	awaitAlertsOf(t, det, readable)
	if err := brokers.Thaw(apart); err != nil {
		t.Fatal(err)
	}
	s.Produce(held...)
	s.AwaitVolumes(volumes(records))
	awaitJudged(t, det, len(records))
	term(t, in, det)
	report(t, tenMinutes.Check(alerts(t, det), transfers(records)))
}

// unanswered is less than the 30 s after which a client gives up a broker that does not answer: what has to wait for that
// is stalled by it.
const unanswered = 25 * time.Second

// awaitUnstalled waits until the transactions are in InfluxDB and judged, while a broker does not answer.
func awaitUnstalled(t testing.TB, s *harness.System, det *harness.Process, records []harness.Record) {
	t.Helper()
	want := volumes(records)
	harness.EventuallyWithin(t, unanswered, func() (bool, string) {
		judged, _ := det.Metric("laundering_detector_records_total", nil)
		got := s.Volumes()
		return maps.Equal(got, want) && int(judged) >= len(records),
			fmt.Sprintf("InfluxDB holds %+v, want %+v; %v records of %d were judged", got, want, judged, len(records))
	})
}

// awaitAlertsOf waits until a detector that runs has written the alerts that the transactions call for.
func awaitAlertsOf(t testing.TB, det *harness.Process, records []harness.Record) {
	t.Helper()
	harness.Eventually(t, func() (bool, string) {
		soFar, err := oracle.ParseAlerts(det.Stdout())
		if err != nil {
			t.Fatal(err)
		}
		wrong := tenMinutes.Check(soFar, transfers(records))
		return len(wrong) == 0, fmt.Sprintf("of %d transactions: %v", len(records), wrong)
	})
}
