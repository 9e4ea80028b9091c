package cases

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fintrans/demo/harness"
	"fintrans/demo/oracle"
)

// transfer is a transaction of the pair.
func transfer(city string, at time.Time, pair oracle.Pair, amount uint32) harness.Record {
	return harness.Transfer(city, at, pair.Source, pair.Target, amount)
}

// stuckDetector is one that nobody reads: its stdout is full of alerts of partition 0 of London, where each
// record alerts, and more than are in the pipe wait in Kafka.
func stuckDetector(t testing.TB, s *harness.System) (det *harness.Process, records []harness.Record) {
	t.Helper()
	det = s.Start(detector, rules(tenMinutes, time.Minute), harness.Options{HoldStdout: true})
	begin := time.UnixMilli(time.Now().Add(-time.Hour).UnixMilli())
	for i, pair := range pairsOf(6, 0, 200) {
		at := begin.Add(time.Duration(i) * time.Millisecond)
		records = append(records, transfer("London", at, pair, 10_001))
	}
	s.Produce(records...)
	det.AwaitStdoutFull(line)
	return det, records
}

// AlertIsOutBeforeTheNextIsJudged kills the detector while nobody reads its stdout. What another topic sent
// between the same accounts in the meantime must not have been judged: it would have found the pair
// over the threshold already, and after the kill the first transaction would have found it so as well. And
// no commit may have run ahead of the lines, although other partitions went on and committed.
func AlertIsOutBeforeTheNextIsJudged(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	det, records := stuckDetector(t, s)
	want := tenMinutes.Replay(transfers(records))
	var others []harness.Record
	for _, r := range records {
		others = append(others, transfer("Tokyo", r.Time.Add(time.Second), pairOf(r), 10_001))
	}
	s.Produce(others...)
	commitsElsewhere(t, s)
	det.Kill()
	committed := s.Committed(detector)
	det.ReleaseStdout()
	det.Wait() // until what the pipe held is read

	lines := int64(len(det.Stdout()))
	if at := committed["London"][0]; at > lines {
		t.Errorf("%d records of London/0 are committed, of which each alerts, but %d alerts were written", at, lines)
	}
	if at := committed["Tokyo"][0]; at > 0 {
		t.Errorf("%d records of Tokyo/0 were judged before the alert of London/0 was out", at)
	}
	det.Restart()
	s.AwaitCommitted(detector, harness.Cities()...)
	term(t, det)
	lostNothing(t, alerts(t, det), want)
}

// commitsElsewhere makes the detector commit twice, while it gets nothing done in partition 0.
func commitsElsewhere(t testing.TB, s *harness.System) {
	t.Helper()
	const enough = 10_000 // records after which the detector commits, alerts or none
	pair, now := pairsOf(6, 1, 1)[0], time.UnixMilli(time.Now().UnixMilli())
	for round := range int64(2) {
		records := make([]harness.Record, 1.1*enough)
		for i := range records {
			records[i] = transfer("London", now, pair, 0)
		}
		s.Produce(records...)
		harness.Eventually(t, func() (bool, string) {
			at := s.Committed(detector)["London"][1]
			return at >= (round+1)*enough, fmt.Sprintf("%d records of London/1 are committed, want %d", at, (round+1)*enough)
		})
	}
}

// DrainOfUnreadAlertsSaysSo ends the detector with SIGTERM while nobody reads its stdout: it cannot drain,
// and says from where on it will read again.
func DrainOfUnreadAlertsSaysSo(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	det, records := stuckDetector(t, s)
	if status := det.Term(); status != 1 {
		t.Errorf("exit status %d, want 1", status)
	}
	oneError(t, det, "standard output did not take the alert of London/0 offset")
	det.ReleaseStdout()
	det.Restart()
	s.AwaitCommitted(detector, harness.Cities()...)
	term(t, det)
	lostNothing(t, alerts(t, det), tenMinutes.Replay(transfers(records)))
}

// ClosedStdoutEndsTheDetector closes the reading end of its stdout: at the next alert it ends with status 1 and
// one line, and the alert is written after the restart.
func ClosedStdoutEndsTheDetector(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	det := s.Start(detector, rules(tenMinutes, time.Minute), harness.Options{HoldStdout: true})
	det.AwaitReady()
	det.CloseStdout()
	now := time.UnixMilli(time.Now().UnixMilli())
	records := []harness.Record{
		transfer("London", now, pairsOf(6, 2, 1)[0], 9999),
		transfer("London", now, pairsOf(6, 2, 1)[0], 2),
	}
	s.Produce(records...)
	if status := det.Wait(); status != 1 {
		t.Errorf("exit status %d, want 1", status)
	}
	oneError(t, det, "write an alert to standard output: ")
	det.Restart()
	s.AwaitCommitted(detector, harness.Cities()...)
	term(t, det)
	if got, want := alerts(t, det), tenMinutes.Replay(transfers(records)); len(got) != 1 || got[0] != want[0] {
		t.Errorf("alerts %v, want %v", got, want)
	}
}

// oneError wants exactly one line of the log to be an error, and to say this.
func oneError(t testing.TB, p *harness.Process, text string) {
	t.Helper()
	var errors []string
	for _, entry := range p.Log() {
		if strings.Contains(entry, "level=error") {
			errors = append(errors, entry)
		}
	}
	if len(errors) != 1 || !strings.Contains(errors[0], text) {
		t.Errorf("the log has the errors %q, want one with %q", errors, text)
	}
}
