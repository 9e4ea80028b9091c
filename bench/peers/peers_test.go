package peers

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"

	"fintrans/bench/records"
)

func TestLastLine(t *testing.T) {
	t.Parallel()
	var said lastLine
	said.keep("not this one")
	said.keep("3000000 records sent, 521467.06 records/sec (7.46 MB/sec), 11.1 ms avg latency, 300.00 ms max latency.")
	if got, err := said.number(producerLine); err != nil || got != 521467.06 {
		t.Errorf("got %v, error %v", got, err)
	}
	said.keep("2026-11-25 21:00:00:000, 2026-11-25 21:00:04:000, 19.07, 4.7, 1000000, 250000.0000, 512, 3488, 5.4, 286697.2477")
	if got, err := said.number(consumerLine); err != nil || got != 286697.2477 {
		t.Errorf("got %v, error %v", got, err)
	}
	said.keep("WARN")
	if _, err := said.number(consumerLine); err == nil || !strings.Contains(err.Error(), "WARN") {
		t.Errorf("error %v, want one with the line", err)
	}
}

func TestPreparedLines(t *testing.T) {
	t.Parallel()
	set := records.Set{Count: linesPerPost + 1, Sources: 10, Targets: 10, Newest: time.UnixMilli(1_500_000_000_000), Span: time.Second}
	p := Prepare(set)
	if p.points != set.Count || len(p.bodies) != 2 || bytes.Count(p.bodies[0], []byte("\n")) != linesPerPost || bytes.Count(p.bodies[1], []byte("\n")) != 1 {
		t.Errorf("%d points in %d bodies", p.points, len(p.bodies))
	}
	last := regexp.MustCompile(`^transactions,city=[A-Za-z]+,partition=[0-5] amount=[1-9]i,source=\d+i,target=\d+i \d{13}005000\n$`)
	if !last.Match(p.bodies[1]) {
		t.Errorf("the last line is %q, want one like %s", p.bodies[1], last)
	}
}
