package chaos

import (
	"strings"
	"testing"
	"time"
)

func TestReport(t *testing.T) {
	t.Parallel()
	r := Report{
		Seed: 7, Command: "make chaos SEED=7", Ran: 90*time.Second + 300*time.Millisecond,
		Faults: map[string]int{"kill -9 of influx-ingest": 4, "network cut": 1},
		Recoveries: map[string]Recovery{"kill -9 of influx-ingest": {
			Alone: []time.Duration{time.Second, 2 * time.Second, 9 * time.Second}, Others: []time.Duration{20 * time.Second},
		}},
		Stood: map[string]Standstill{Ingest: {Longest: 12 * time.Second, Quiet: 1500 * time.Millisecond}},
		Verdict: Verdict{
			Transactions: 12345, Acknowledged: 12300, Lost: 2, Duplicated: 1, Episodes: 31,
			Lines: Alerts{Found: 40, Missing: 3, Outside: 4, Repeated: 5}, Published: Alerts{Found: 33}, Unstored: 6,
		},
	}
	const want = `
1m30s of faults, seed 7
fault                     times  recovered alone  median  worst  amid others  median   worst
kill -9 of influx-ingest      4                3   2.0 s  9.0 s            1  20.0 s  20.0 s
network cut                   1                -       -      -            -       -       -
all                           5

transactions                   12,345
acknowledged by the generator  12,300
appended twice                      0
too old for InfluxDB                0
lost                                2
duplicated                          1
episodes                           31
alerts on stdout                   40
  missing                           3
  outside an episode                4
  repeated                          5
alerts published                   33
  missing                           0
  outside an episode                0
  repeated                          0
  not in InfluxDB                   6

longest time without progress  at all  all servers there
influx-ingest                  12.0 s              1.5 s
laundering-detector             0.0 s              0.0 s
generator                       0.0 s              0.0 s

`
	if got := written(t, r); got != want+"all promises were kept\n" {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	r.Broken = []string{"this", "that"}
	if got := written(t, r); got != want+"BROKEN: this\nBROKEN: that\n2 promises were broken; the same faults again: make chaos SEED=7\n" {
		t.Errorf("got\n%s", got)
	}
}

func written(t *testing.T, r Report) string {
	t.Helper()
	var b strings.Builder
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
