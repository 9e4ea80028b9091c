package score_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"fintrans/demo/ledger"
	"fintrans/demo/oracle"
	"fintrans/demo/score"
)

const minute = 60_000

var hour = oracle.Rule{Threshold: 10_000, Window: 60 * minute}

// moved is a transfer from 1 to 2 at a minute; of the ring, which has so many transfers, unless that is 0.
func moved(amount uint32, at int64, ring uint64, transfers int) ledger.Record {
	return ledger.Record{
		Transfer: oracle.Transfer{Source: 1, Target: 2, Amount: amount, At: at * minute}, Ring: ring, RingTransfers: transfers,
	}
}

// alert is one for 1 -> 2 that came a second after the minute.
func alert(total uint64, at int64) score.Alert {
	return score.Alert{Alert: oracle.Alert{Pair: oracle.Pair{Source: 1, Target: 2}, Total: total}, Came: time.UnixMilli(at*minute + 1000)}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	ring := []ledger.Record{moved(6000, 0, 1, 3), moved(6000, 10, 1, 3), moved(6000, 20, 1, 3)}
	tests := []struct {
		name           string
		before, during []ledger.Record
		alerts         []score.Alert
		want           string // planted detected partial, alerts repeated unexplained wrong, latencies
	}{
		{"nothing", nil, nil, nil, "0 0 0, 0 0 0 0, []"},
		{"detected", nil, ring, []score.Alert{alert(12_000, 10)}, "1 1 0, 1 0 0 0, [1s]"},
		{"detected late", nil, ring, []score.Alert{alert(12_000, 11)}, "1 1 0, 1 0 0 0, [1m1s]"},
		{"missed", nil, ring, nil, "1 0 0, 0 0 0 0, []"},
		{"an alert of another pair", nil, ring, []score.Alert{{
			Alert: oracle.Alert{Pair: oracle.Pair{Source: 2, Target: 1}, Total: 12_000}, Came: time.UnixMilli(11 * minute),
		}}, "1 0 0, 1 0 1 1, []"},
		{"an alert before it could be", nil, ring, []score.Alert{alert(12_000, 8)}, "1 0 0, 1 0 1 1, []"},
		{"an alert of a sum that never was", nil, ring, []score.Alert{alert(18_001, 10)}, "1 0 0, 1 0 1 1, []"},
		{"an alert at the threshold", nil, ring, []score.Alert{alert(10_000, 10)}, "1 0 0, 1 0 1 1, []"},
		{"repeated after a kill", nil, ring, []score.Alert{alert(12_000, 10), alert(12_000, 10), alert(18_000, 21)}, "1 1 0, 1 2 0 0, [1s]"},
		{"a transfer is not there", nil, ring[:2], []score.Alert{alert(12_000, 10)}, "0 0 1, 1 0 0 0, [1s]"},
		{"a transfer is not there, and no alert", nil, ring[:2], nil, "0 0 1, 0 0 0 0, []"},
		{
			"not within one window", nil, []ledger.Record{moved(6000, 0, 1, 3), moved(6000, 30, 1, 3), moved(6000, 60, 1, 3)},
			[]score.Alert{alert(12_000, 30)}, "0 0 1, 1 0 0 0, [1s]",
		},
		{"not over the threshold", nil, []ledger.Record{moved(5000, 0, 1, 2), moved(5000, 1, 1, 2)}, nil, "0 0 1, 0 0 0 0, []"},
		{"chance", nil, []ledger.Record{moved(6000, 0, 0, 0), moved(6000, 1, 0, 0)}, []score.Alert{alert(12_000, 1)}, "0 0 0, 1 0 1 0, []"},
		{
			"chance makes a ring cross earlier", nil, append([]ledger.Record{moved(9000, -1, 0, 0)}, ring...),
			[]score.Alert{alert(15_000, 0)}, "1 1 0, 1 0 0 0, [1s]",
		},
		{
			"chance, long after the ring", nil, append([]ledger.Record{moved(6000, 200, 0, 0), moved(6000, 201, 0, 0)}, ring...),
			[]score.Alert{alert(12_000, 10), alert(12_000, 201)}, "1 1 0, 2 0 0 0, [1s]",
		},
		{
			"the second of two episodes is missed", nil, append([]ledger.Record{moved(6000, 200, 2, 2), moved(6000, 201, 2, 2)}, ring...),
			[]score.Alert{alert(12_000, 10)}, "2 1 0, 1 0 0 0, [1s]",
		},
		{
			"the first of two episodes is missed", nil, append([]ledger.Record{moved(6000, 200, 2, 2), moved(6001, 201, 2, 2)}, ring...),
			[]score.Alert{alert(12_001, 201)}, "2 1 0, 1 0 0 0, [1s]",
		},
		{
			"both alerts come late", nil, append([]ledger.Record{moved(6000, 200, 2, 2), moved(6000, 201, 2, 2)}, ring...),
			[]score.Alert{alert(12_000, 300), alert(12_000, 300)}, "2 2 0, 2 0 0 0, [1h39m1s 4h50m1s]",
		},
		{"the pair was over before the run", []ledger.Record{moved(10_001, -1, 0, 0)}, ring, nil, "0 0 0, 0 0 0 0, []"},
		{
			"the pair was over long before the run", []ledger.Record{moved(10_001, -61, 9, 1)}, ring,
			[]score.Alert{alert(12_000, 10)}, "1 1 0, 1 0 0 0, [1s]",
		},
		{
			"what was before the run counts", []ledger.Record{moved(5000, -1, 0, 0)}, ring,
			[]score.Alert{alert(11_000, 0)}, "1 1 0, 1 0 0 0, [1s]",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := score.Judge(hour, test.before, test.during, test.alerts)
			wrong := 0
			for _, a := range s.Unexplained {
				if a.Wrong {
					wrong++
				}
			}
			got := fmt.Sprint(s.Planted, s.Detected, s.Partial, ", ", s.Alerts, s.Repeated, len(s.Unexplained), wrong, ", ", s.Latencies)
			got = strings.ReplaceAll(got, " , ", ", ")
			if got != test.want || len(s.Missed) != s.Planted-s.Detected {
				t.Errorf("got %s and %d missed, want %s", got, len(s.Missed), test.want)
			}
		})
	}
}

func TestJudgeWithoutAWindow(t *testing.T) {
	t.Parallel()
	since := oracle.Rule{Threshold: 10_000}
	during := []ledger.Record{moved(6000, 0, 1, 2), moved(6000, 100_000, 1, 2)}
	if s := score.Judge(since, nil, during, []score.Alert{alert(12_000, 100_000)}); s.Planted != 1 || s.Detected != 1 || s.Precision() != 1 {
		t.Errorf("got %+v, want one ring planted and detected", s)
	}
}

// TestRingsOfTwoGenerators have the same numbers and are told apart by their pairs.
func TestRingsOfTwoGenerators(t *testing.T) {
	t.Parallel()
	during := []ledger.Record{moved(6000, 0, 1, 2), moved(6000, 1, 1, 2)}
	other := slices.Clone(during)
	for i := range other {
		other[i].Target = 3
	}
	s := score.Judge(hour, nil, slices.Concat(during, other), []score.Alert{alert(12_000, 1)})
	if s.Planted != 2 || s.Detected != 1 || s.Recall() != 0.5 {
		t.Errorf("got %+v, want two rings planted and one detected", s)
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	s := score.Score{
		Planted: 1000, Detected: 999, Partial: 1, Alerts: 4, Repeated: 2,
		Missed:      []score.Ring{{Number: 7, Pair: oracle.Pair{Source: 1, Target: 2}, Found: 3, Sum: 18_000}},
		Unexplained: []score.Unexplained{{Alert: alert(12_000, 0)}, {Alert: alert(13_000, 0), Wrong: true}},
	}
	for i := range 100 {
		s.Latencies = append(s.Latencies, time.Duration(i+1)*time.Millisecond+time.Microsecond)
	}
	want := []string{
		"rings planted: 1000, detected: 999; recall 99.9 %",
		"alerts: 4, of which no ring explains: 2; precision 50 %",
		"from the time of the transaction that crosses the threshold to the alert: median 50ms, p99 99ms, of 100",
		"rings that were not complete within one window and over the threshold, and so are not asked for: 1",
		"alerts that came again, as they may after a kill: 2",
		"no ring explains 1 -> 2 totalling 12000 (chance: without a ring, and really over the threshold)",
		"no ring explains 1 -> 2 totalling 13000 (wrong: the pair was never so far over the threshold)",
	}
	if got := s.Lines(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := s.Complaints(); len(got) != 1 || !strings.HasPrefix(got[0], "a ring was missed: 3 transfers 1 -> 2 totalling 18000, from ") {
		t.Errorf("complaints %q, want one that names the ring", got)
	}
	if got := (score.Score{}).Lines(); len(got) != 2 || !strings.HasSuffix(got[0], "recall -") {
		t.Errorf("without anything: %q, want no share of nothing", got)
	}
	if got := (score.Score{Planted: 2000, Detected: 1999}).Lines()[0]; !strings.HasSuffix(got, "recall 99.9 %") {
		t.Errorf("%q, want it rounded down", got)
	}
}
