package peers

import (
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
	const count = 40 * linesPerPost
	p := Prepare(records.Set{Count: count, Sources: 10, Targets: 10, Newest: time.UnixMilli(1_500_000_000_000), Span: time.Second})
	line := regexp.MustCompile(`^transactions,city=[A-Za-z]+,partition=[0-5] amount=[1-9]i,source=\d+i,target=\d+i \d{19}$`)
	seen := map[string]bool{}
	ofOneSeries := 0
	for _, body := range p.bodies {
		all := strings.Split(strings.TrimSuffix(string(body), "\n"), "\n")
		if len(all) != linesPerPost {
			t.Errorf("a POST of %d lines, want %d", len(all), linesPerPost)
		}
		series := map[string]bool{}
		for _, text := range all {
			if !line.MatchString(text) {
				t.Fatalf("line %q, want one like %s", text, line)
			}
			name, rest, _ := strings.Cut(text, " ")
			series[name] = true
			seen[name+rest[strings.LastIndexByte(rest, ' '):]] = true
		}
		if len(series) == 1 {
			ofOneSeries++
		}
	}
	if p.points != count || len(seen) != count {
		t.Errorf("%d points, of which %d are different, want %d", p.points, len(seen), count)
	}
	if ofOneSeries == 0 {
		t.Error("no POST has the points of one series")
	}
}
