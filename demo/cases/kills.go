package cases

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"fintrans/demo/harness"
	"fintrans/demo/oracle"
)

// line is more bytes than the line of an alert has in these cases.
const line = 64

// KilledDetectorLosesNothing kills the detector in mid-stream, again and again: every alert comes, those of
// the last moments before a kill perhaps once more, and none that should not.
func KilledDetectorLosesNothing(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	records := oneCity.transactions()
	want := tenMinutes.Replay(transfers(records))
	det := s.Start(detector, rules(tenMinutes, 0)) // nothing is late: the window alone is read back
	random := rand.New(rand.NewPCG(4, 0))
	for part := range slices.Chunk(records, len(records)/8+1) {
		enough := len(det.Stdout()) + 1 + random.IntN(50)
		s.Produce(part...)
		awaitLines(t, det, enough)
		det.Kill()
		det.Restart()
	}
	s.AwaitCommitted(detector, harness.Cities()...)
	term(t, det)
	lostNothing(t, alerts(t, det), want)
}

// DrainedDetectorRepeatsNothing ends the detector with SIGTERM in mid-stream, again and again: each alert
// comes exactly once.
func DrainedDetectorRepeatsNothing(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	records := oneCity.transactions()
	want := tenMinutes.Replay(transfers(records))
	det := s.Start(detector, rules(tenMinutes, 10*time.Minute))
	for part := range slices.Chunk(records, len(records)/5+1) {
		enough := len(det.Stdout()) + 10
		s.Produce(part...)
		awaitLines(t, det, enough)
		term(t, det)
		det.Restart()
	}
	s.AwaitCommitted(detector, harness.Cities()...)
	term(t, det)
	if got := alerts(t, det); !slices.Equal(inOrder(got), inOrder(want)) {
		t.Errorf("%d alerts, want %d: %+v", len(got), len(want), oracle.Compare(got, want))
	}
}

// UnreadAlertsAreNotLost kills the detector while nobody reads its stdout: no offset was committed whose
// alert was not out.
func UnreadAlertsAreNotLost(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	records := oneCity.transactions()
	want := tenMinutes.Replay(transfers(records))
	det := s.Start(detector, rules(tenMinutes, 10*time.Minute), harness.Options{HoldStdout: true})
	s.Produce(records...)
	det.AwaitStdoutFull(line)
	awaitStandstill(t, s, detector)
	det.Kill()
	det.ReleaseStdout()
	det.Restart()
	s.AwaitCommitted(detector, harness.Cities()...)
	term(t, det)
	lostNothing(t, alerts(t, det), want)
}

// LaggingCityIsNotForgotten kills the detector when it has read four cities and a third of the fifth. The rest
// of the fifth is judged by what the others sent hours before the newest records.
func LaggingCityIsNotForgotten(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	flow := fiveCities
	flow.weights = []int{30, 20, 30, 10, 10}
	records := flow.transactions()
	var now, later []harness.Record
	for i, r := range records {
		if r.City == "SF" && i > len(records)/3 {
			later = append(later, r)
		} else {
			now = append(now, r)
		}
	}
	s.Produce(now...)
	det := s.Start(detector, rules(tenMinutes, 10*time.Minute))
	s.AwaitCommitted(detector, harness.Cities()...)
	det.Kill()
	s.Produce(later...)
	det.Restart()
	s.AwaitCommitted(detector, harness.Cities()...)
	term(t, det)
	report(t, tenMinutes.Check(alerts(t, det), transfers(records)))
}

// awaitLines waits until a detector has written this many alerts.
func awaitLines(t testing.TB, p *harness.Process, lines int) {
	t.Helper()
	harness.Eventually(t, func() (bool, string) {
		got := len(p.Stdout())
		return got >= lines, fmt.Sprintf("%d alerts, want %d at least", got, lines)
	})
}

// awaitStandstill waits until the group has committed nothing new for a while: twice as long as the consumers
// let pass between two commits, of which one may be slow.
func awaitStandstill(t testing.TB, s *harness.System, group string) {
	t.Helper()
	const while = 10 * time.Second
	last, since := "", time.Now()
	harness.Eventually(t, func() (bool, string) {
		committed := fmt.Sprint(s.Committed(group))
		if committed != last {
			last, since = committed, time.Now()
		}
		return time.Since(since) > while, "offsets are still being committed: " + committed
	})
}

// lostNothing checks the alerts of a detector that was killed.
func lostNothing(t testing.TB, got, want []oracle.Alert) {
	t.Helper()
	difference := oracle.Compare(got, want)
	if len(difference.Missing) > 0 || len(difference.Unexpected) > 0 {
		t.Errorf("%d alerts, want %d and repeats of them alone: %+v", len(got), len(want), difference)
	}
	t.Logf("%d alerts, of which %d are repeats", len(got), difference.Repeated)
}
