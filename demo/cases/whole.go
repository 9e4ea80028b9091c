package cases

import (
	"testing"
	"time"

	"fintrans/demo/harness"
	"fintrans/demo/oracle"
)

// Whole runs all three services as a new installation does, without topics and with the settings of an
// installation, and kills each of them once in mid-stream: the generator goes on until all have come back, so that
// no kill can come too late. What is in the topics is in InfluxDB, in number and sum, city by city, and alerts as it
// should.
func Whole(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{Partitions: harness.NoTopics})
	in, det := s.Start(ingest, nil), s.Start(detector, nil)
	generator := s.Start("generator", harness.Env{"GEN_WAIT_SEC": "0.0002", "RING_SPREAD": "5s"})

	stored := awaitMore(t, s, 1000)
	generator.Kill()
	generator.Restart()

	stored = awaitMore(t, s, stored+10_000)
	in.Kill()
	in.Restart()

	awaitLines(t, det, len(det.Stdout())+10)
	det.Kill()
	det.Restart()

	awaitMore(t, s, stored+10_000)
	awaitLines(t, det, len(det.Stdout())+10)
	term(t, generator)
	log := s.Log(harness.Cities()...)
	s.AwaitVolumes(volumes(log))
	s.AwaitCommitted(ingest, harness.Cities()...)
	s.AwaitCommitted(detector, harness.Cities()...)
	term(t, in, det)
	rule := oracle.Rule{Threshold: 10_000, Window: time.Hour.Milliseconds()} // the default
	got := alerts(t, det)
	report(t, rule.Check(got, transfers(log)))
	if t.Logf("%d transactions, %d alerts", len(log), len(got)); len(got) < 20 {
		t.Errorf("%d alerts are too few to show anything", len(got))
	}
}
