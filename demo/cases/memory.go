package cases

import (
	"testing"
	"time"

	"fintrans/demo/harness"
	"fintrans/demo/oracle"
)

// FullMemoryPauses gives the detector less memory than what it has to hold: it stops reading instead of dying, is
// healthy, and says what it needs. One with more memory takes over, and nothing was dropped.
func FullMemoryPauses(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	rule := oracle.Rule{Threshold: 10_000} // since the beginning: everything is held
	env := rules(rule, 10*time.Minute)
	env["GOMEMLIMIT"] = "28MiB"
	small := s.Start(detector, env)
	small.AwaitReady()

	records := ringsAround(250_000)
	s.Produce(records...)
	awaitNotReady(t, small, "MiB used, reading is paused: raise the memory limit")
	if status, body := small.Get("/health"); status != 200 {
		t.Errorf("/health answers %d, %q while memory is full, want 200", status, body)
	}
	if judged, _ := small.Metric("laundering_detector_records_total", nil); int(judged) >= len(records) {
		t.Errorf("all %d records were judged: the memory was never full", len(records))
	}
	term(t, small)

	delete(env, "GOMEMLIMIT")
	large := s.Start(detector, env)
	s.AwaitCommitted(detector, harness.Cities()...)
	term(t, large)
	lostNothing(t, alertsOf(t, small, large), rule.Replay(transfers(records)))
}

// ringsAround are transactions each between a pair of its own but for some pairs, of which the first
// half of what they move comes first, and the other half last.
func ringsAround(number int) []harness.Record {
	const rings = 100
	now := time.UnixMilli(time.Now().UnixMilli())
	var records []harness.Record
	half := func() {
		for ring := range uint32(rings) {
			records = append(records, harness.Transfer("NYC", now, ring, ring+1, 6000))
		}
	}
	half()
	for i := range uint32(number) {
		records = append(records, harness.Transfer(harness.Cities()[i%5], now, 1000+i, 1, 2))
	}
	half()
	return records
}
