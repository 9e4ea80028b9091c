package cases

import (
	"syscall"
	"testing"
	"time"

	"fintrans/demo/harness"
)

// zombies are the cases of instances that are frozen until their group has given them up, and then go on as if
// nothing had happened.
func zombies() []Case {
	return []Case{
		{"FrozenDetectorPrintsNothingWrong", FrozenDetectorPrintsNothingWrong},
		{"FrozenIngestLosesNothing", FrozenIngestLosesNothing},
	}
}

// FrozenDetectorPrintsNothingWrong freezes one of two detectors under load until the other has everything, and
// wakes it: what it still does as a zombie is at most a repeat, on stdout and in the alert topic.
func FrozenDetectorPrintsNothingWrong(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	s.CreateTopics(6, alertsTo)
	env := publishing(rules(tenMinutes, 10*time.Minute))
	frozen, other := s.Start(detector, env), s.Start(detector, env)
	s.AwaitMembers(detector, 2)
	traffic := startStream(t, s, mixed(23), load)
	awaitLines(t, frozen, 20)
	awaitLines(t, other, 20)
	frozen.Signal(syscall.SIGSTOP)
	awaitAll(t, other)
	awaitLines(t, other, len(other.Stdout())+50)
	frozen.Signal(syscall.SIGCONT)
	s.AwaitMembers(detector, 2)
	awaitLines(t, frozen, len(frozen.Stdout())+20)
	records := traffic.stop()
	s.AwaitCommitted(detector, harness.Cities()...)
	term(t, frozen, other)
	judgeAlerts(t, tenMinutes, alertsOf(t, frozen, other), records)
	different, repeats := once(published(t, s))
	t.Logf("%d alerts are published, %d of them again", len(different), repeats)
	judgeAlerts(t, tenMinutes, asLines(different), records)
}

// awaitAll waits until the instance has all six partitions of London.
func awaitAll(t testing.TB, p *harness.Process) {
	t.Helper()
	awaitPartitions(t, p, "0,1,2,3,4,5")
}

// FrozenIngestLosesNothing freezes one of two instances until the other has everything, and wakes it with what
// it had read and not written: those points are there once.
func FrozenIngestLosesNothing(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	frozen, other := s.Start(ingest, quick), s.Start(ingest, quick)
	s.AwaitMembers(ingest, 2)
	records := recent.transactions()
	third := len(records) / 3
	s.Produce(records[:third]...)
	s.AwaitVolumes(volumes(records[:third]))
	s.Produce(records[third : 2*third]...)
	frozen.Signal(syscall.SIGSTOP)
	awaitAll(t, other)
	s.AwaitVolumes(volumes(records[:2*third]))
	frozen.Signal(syscall.SIGCONT)
	s.AwaitMembers(ingest, 2)
	s.Produce(records[2*third:]...)
	s.AwaitVolumes(volumes(records))
	s.AwaitCommitted(ingest, harness.Cities()...)
	term(t, frozen, other)
}
