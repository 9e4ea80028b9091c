package cases

import (
	"testing"
	"time"

	"fintrans/demo/harness"
)

// detectorFaults are the cases of what goes wrong around a detector.
func detectorFaults() []Case {
	return []Case{
		{"DetectorKilledUnderLoad", DetectorKilledUnderLoad},
		{"DetectorDrainedUnderLoad", DetectorDrainedUnderLoad},
		{"AlertIsOutBeforeTheNextIsJudged", AlertIsOutBeforeTheNextIsJudged},
		{"DrainOfUnreadAlertsSaysSo", DrainOfUnreadAlertsSaysSo},
		{"ClosedStdoutEndsTheDetector", ClosedStdoutEndsTheDetector},
		{"RestartChangesNoAlert", RestartChangesNoAlert},
		{"OtherRulesAfterRestart", OtherRulesAfterRestart},
		{"DetectorsScaleUnderLoad", DetectorsScaleUnderLoad},
		{"DetectorsKilledUnderLoad", DetectorsKilledUnderLoad},
	}
}

// load is how many transactions a second the cases under load send.
const load = 2000

// DetectorKilledUnderLoad kills the detector again and again while transactions of five cities come in, many
// of them late: each episode has its alert, some of them more than one.
func DetectorKilledUnderLoad(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	det := s.Start(detector, rules(tenMinutes, 10*time.Minute))
	traffic := startStream(t, s, mixed(11), load)
	for range 6 {
		awaitLines(t, det, len(det.Stdout())+20)
		det.Kill()
		det.Restart()
	}
	records := traffic.stop()
	s.AwaitCommitted(detector, harness.Cities()...)
	term(t, det)
	judgeAlerts(t, tenMinutes, alerts(t, det), records)
}

// DetectorDrainedUnderLoad ends the detector with SIGTERM again and again under the same load: nothing is
// lost, and nothing repeated.
func DetectorDrainedUnderLoad(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	det := s.Start(detector, rules(tenMinutes, 10*time.Minute))
	traffic := startStream(t, s, mixed(13), load)
	for range 5 {
		awaitLines(t, det, len(det.Stdout())+20)
		term(t, det)
		det.Restart()
	}
	records := traffic.stop()
	s.AwaitCommitted(detector, harness.Cities()...)
	term(t, det)
	if repeats := judgeAlerts(t, tenMinutes, alerts(t, det), records); repeats > 0 {
		t.Errorf("%d alerts were repeated without a kill", repeats)
	}
}
