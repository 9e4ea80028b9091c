package cases

import (
	"fmt"
	"testing"
	"time"

	"fintrans/demo/harness"
	"fintrans/demo/oracle"
)

// wholeNumber is how many transactions Whole has, and those that the killed generator has sent.
const wholeNumber = 100_000

// Whole runs all three services as a new installation does, without topics and with the settings of an
// installation, at full speed, and kills each of them once in mid-stream. What is in the topics is in
// InfluxDB, in number and sum, city by city, and alerts as it should.
func Whole(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{Partitions: harness.NoTopics})
	in, det := s.Start(ingest, nil), s.Start(detector, nil)
	generator := s.Start("generator", harness.Env{"GEN_WAIT_SEC": "0", "GEN_COUNT": fmt.Sprint(wholeNumber)})

	harness.EventuallyWithin(t, 2*harness.Patience, func() (bool, string) {
		sent := sum(s.EndOffsets(harness.Cities()...))
		return sent > 1000, fmt.Sprintf("the generator has sent %d transactions, want more than 1000", sent)
	})
	generator.Kill()
	if status := generator.Wait(); status != -1 {
		t.Fatalf("the generator had ended with status %d before it was killed", status)
	}
	generator.Restart()

	awaitMore(t, s, 10_000)
	in.Kill()
	stored := sum(s.Committed(ingest))
	in.Restart()

	awaitLines(t, det, 10)
	det.Kill()
	judged := sum(s.Committed(detector))
	det.Restart()

	if status := generator.Wait(); status != 0 {
		t.Fatalf("generator: exit status %d after the last transaction, want 0", status)
	}
	log := s.Log(harness.Cities()...)
	t.Logf("of %d transactions the ingest had committed %d when it was killed, the detector %d", len(log), stored, judged)
	if n := int64(len(log)); n < wholeNumber || stored >= n || judged >= n {
		t.Errorf("want %d transactions at least, and kills before all were committed", wholeNumber)
	}
	s.AwaitVolumes(volumes(log))
	s.AwaitCommitted(ingest, harness.Cities()...)
	s.AwaitCommitted(detector, harness.Cities()...)
	term(t, in, det)
	rule := oracle.Rule{Threshold: 10_000, Window: time.Hour.Milliseconds()} // the default
	got := alerts(t, det)
	report(t, rule.Check(got, transfers(log)))
	if t.Logf("%d alerts", len(got)); len(got) < 20 {
		t.Errorf("%d alerts are too few to show anything", len(got))
	}
}
