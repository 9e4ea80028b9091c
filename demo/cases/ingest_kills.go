package cases

import (
	"fmt"
	"slices"
	"testing"

	"fintrans/demo/embedded"
	"fintrans/demo/harness"
)

// KilledIngestLosesNothing kills the ingest in mid-stream, again and again.
func KilledIngestLosesNothing(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	in := s.Start(ingest, quick)
	records, before := recent.transactions(), int64(0)
	for part := range slices.Chunk(records, len(records)/6+1) {
		in.AwaitLog("session began") // in mid-stream: not while it is being let into the group
		s.Produce(part...)
		before = awaitMore(t, s, before)
		in.Kill()
		in.Restart()
	}
	s.AwaitVolumes(volumes(records))
	s.AwaitCommitted(ingest, harness.Cities()...)
	term(t, in)
}

// DrainedIngestLosesNothing ends the ingest with SIGTERM in mid-stream, again and again. What it has read it
// writes and commits: what is committed is exactly what InfluxDB holds.
func DrainedIngestLosesNothing(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	in := s.Start(ingest, quick)
	records, before := recent.transactions(), int64(0)
	for part := range slices.Chunk(records, len(records)/4+1) {
		s.Produce(part...)
		before = awaitMore(t, s, before)
		term(t, in)
		if committed, stored := sum(s.Committed(ingest)), total(s.Volumes()); committed != stored {
			t.Errorf("%d records are committed after the drain, %d stored", committed, stored)
		}
		in.Restart()
	}
	s.AwaitVolumes(volumes(records))
	term(t, in)
}

// UnwrittenMoneyIsNotLost kills the ingest while InfluxDB does not answer: nothing was committed that it
// had not accepted.
func UnwrittenMoneyIsNotLost(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	in := s.Start(ingest, quick)
	records := recent.transactions()
	half := len(records) / 2
	s.Produce(records[:half]...)
	s.AwaitVolumes(volumes(records[:half]))
	s.AwaitCommitted(ingest, harness.Cities()...)
	accepted := fmt.Sprint(s.Committed(ingest))

	s.Influx.Fail(embedded.Fault{Path: "/write", Hang: true})
	s.Produce(records[half:]...)
	harness.Eventually(t, func() (bool, string) { return s.Influx.Failed() > 0, "no write has come" })
	awaitStandstill(t, s, ingest)
	if got := fmt.Sprint(s.Committed(ingest)); got != accepted {
		t.Errorf("committed while InfluxDB did not answer: %s, want %s as before", got, accepted)
	}
	in.Kill()
	s.Influx.Fail(embedded.Fault{})
	in.Restart()
	s.AwaitVolumes(volumes(records))
	term(t, in)
}

// KilledGeneratorLeavesWholeRecords kills the generator in mid-stream, again and again: what is in the topics is
// good, and in InfluxDB.
func KilledGeneratorLeavesWholeRecords(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	in := s.Start(ingest, quick)
	generator := s.Start("generator", harness.Env{"GEN_WAIT_SEC": "0.001"})
	before := int64(0)
	for range 5 {
		before = awaitMore(t, s, before+500)
		generator.Kill()
		generator.Restart()
	}
	awaitMore(t, s, before)
	term(t, generator)
	s.AwaitVolumes(volumes(s.Log(harness.Cities()...)))
	term(t, in)
}

// awaitMore waits until InfluxDB holds more points than this, and returns how many.
func awaitMore(t testing.TB, s *harness.System, than int64) int64 {
	t.Helper()
	stored := int64(0)
	harness.Eventually(t, func() (bool, string) {
		stored = total(s.Volumes())
		return stored > than, fmt.Sprintf("InfluxDB holds %d points, want more than %d", stored, than)
	})
	return stored
}

// total is the number of points.
func total(volumes map[string]harness.Volume) int64 {
	n := int64(0)
	for _, volume := range volumes {
		n += volume.Count
	}
	return n
}

// sum adds up offsets, which are numbers of records where a log begins at 0.
func sum(offsets harness.Offsets) int64 {
	n := int64(0)
	for _, partitions := range offsets {
		for _, offset := range partitions {
			n += offset
		}
	}
	return n
}
