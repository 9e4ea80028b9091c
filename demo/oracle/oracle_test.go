package oracle_test

import (
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"fintrans/demo/oracle"
)

const minute = 60_000

// at makes transfers between 1 and 2 of amount@minute pairs.
func at(pairs ...int64) []oracle.Transfer {
	transfers := make([]oracle.Transfer, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		transfers = append(transfers, oracle.Transfer{Source: 1, Target: 2, Amount: uint32(pairs[i]), At: pairs[i+1] * minute})
	}
	return transfers
}

func TestEpisodes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		rule      oracle.Rule
		transfers []oracle.Transfer
		want      []oracle.Episode
	}{
		{"none", oracle.Rule{Threshold: 10_000, Window: 60 * minute}, nil, nil},
		{"at the threshold is not over it", oracle.Rule{Threshold: 10_000, Window: 60 * minute}, at(5000, 0, 5000, 1), nil},
		{
			"two sums in one window", oracle.Rule{Threshold: 10_000, Window: 60 * minute}, at(6000, 0, 6000, 10),
			[]oracle.Episode{{10 * minute, 60 * minute, 12_000}},
		},
		{
			"falls between two transfers that no evaluation sees", oracle.Rule{Threshold: 10_000, Window: 60 * minute}, at(6000, 0, 6000, 10, 6000, 65),
			[]oracle.Episode{{10 * minute, 60 * minute, 12_000}, {65 * minute, 70 * minute, 12_000}},
		},
		{
			"one leaves as another comes: it never falls", oracle.Rule{Threshold: 10_000, Window: 60 * minute}, at(6000, 0, 6000, 1, 6000, 60),
			[]oracle.Episode{{1 * minute, 61 * minute, 12_000}},
		},
		{
			"everything since the beginning", oracle.Rule{Threshold: 8000}, at(5000, 0, 5000, 999),
			[]oracle.Episode{{999 * minute, math.MaxInt64, 10_000}},
		},
		{
			"before 1970", oracle.Rule{Threshold: 1, Window: 2 * minute}, at(2, -3),
			[]oracle.Episode{{-3 * minute, -1 * minute, 2}},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := test.rule.Episodes(test.transfers); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

// TestEpisodesAgreeWithTheDefinition asks f(T) of the definition at every instant.
func TestEpisodesAgreeWithTheDefinition(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		rule := oracle.Rule{Threshold: uint64(random.IntN(20)), Window: int64(random.IntN(6))}
		var transfers []oracle.Transfer
		for range random.IntN(8) {
			transfers = append(transfers, oracle.Transfer{Amount: uint32(random.IntN(10)), At: int64(random.IntN(20))})
		}
		episodes := rule.Episodes(transfers)
		best := uint64(0)
		for instant := int64(0); instant < 30; instant++ {
			f := uint64(0)
			for _, transfer := range transfers {
				if transfer.At <= instant && (rule.Window == 0 || transfer.At > instant-rule.Window) {
					f += uint64(transfer.Amount)
				}
			}
			best = max(best, f)
			within := false
			for _, episode := range episodes {
				within = within || episode.From <= instant && instant < episode.To
			}
			if within != (f > rule.Threshold) {
				t.Fatalf("%+v %+v: at %d f is %d, episodes are %+v", rule, transfers, instant, f, episodes)
			}
		}
		if got := rule.Best(transfers); got != best {
			t.Fatalf("%+v %+v: best %d, want %d", rule, transfers, got, best)
		}
	}
}

func TestReplay(t *testing.T) {
	t.Parallel()
	hour := oracle.Rule{Threshold: 10_000, Window: 60 * minute}
	tests := []struct {
		name        string
		rule        oracle.Rule
		transfers   []oracle.Transfer
		want, every []uint64
	}{
		{"in order, one episode", hour, at(6000, 0, 6000, 10, 6000, 20), []uint64{12_000}, []uint64{12_000, 18_000}},
		{"in order, two episodes", hour, at(6000, 0, 6000, 10, 6000, 65), []uint64{12_000, 12_000}, []uint64{12_000, 12_000}},
		{"late, in a window that ended", hour, at(4000, 0, 4000, 40, 4000, 20), []uint64{12_000}, []uint64{12_000}},
		{"late, behind an episode and touching it", hour, at(6000, 0, 6000, 10, 6000, 60, 1000, 59), []uint64{12_000}, []uint64{12_000, 12_000, 13_000}},
		{"late, two episodes at once", hour, at(6000, 10, 6000, 100, 5000, 50), []uint64{11_000}, []uint64{11_000}},
		{"everything, every time", oracle.Rule{Threshold: 8000}, at(5000, 0, 5000, 500, 1, 9999), []uint64{10_000}, []uint64{10_000, 10_001}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := totals(test.rule.Replay(test.transfers)); !reflect.DeepEqual(got, test.want) {
				t.Errorf("once an episode: %v, want %v", got, test.want)
			}
			if got := totals(test.rule.ReplayEvery(test.transfers)); !reflect.DeepEqual(got, test.every) {
				t.Errorf("every time: %v, want %v", got, test.every)
			}
		})
	}
}

func totals(alerts []oracle.Alert) []uint64 {
	var totals []uint64
	for _, alert := range alerts {
		totals = append(totals, alert.Total)
	}
	return totals
}

func TestCheck(t *testing.T) {
	t.Parallel()
	rule := oracle.Rule{Threshold: 10_000, Window: 60 * minute}
	two := at(6000, 0, 6000, 10, 6000, 100, 6001, 101) // two episodes, 12000 and 12001
	once := at(6000, 10, 6000, 100, 5000, 50)          // two episodes that one late transfer brings about
	tests := []struct {
		name      string
		transfers []oracle.Transfer
		alerts    []oracle.Alert
		want      string // in the error; empty is none
	}{
		{"one each", two, alerts(12_000, 12_001), ""},
		{"repeated", two, alerts(12_000, 12_000, 12_000), ""},
		{"one is missing", two, alerts(12_000), "1 alerts for 2 episodes, which need 2"},
		{"all are missing", two, nil, "0 alerts for 2 episodes"},
		{"one for two at once", once, alerts(11_000), ""},
		{"none for two at once", once, nil, "which need 1"},
		{"too large", two, alerts(12_000, 12_002), "at most 12001"},
		{"not over", two, alerts(12_000, 10_000), "want more than 10000"},
		{"a pair that is never over", at(6000, 0), alerts(12_000), "never over"},
		{"a pair that does not exist", nil, alerts(12_000), "never over"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := rule.Check(test.alerts, test.transfers)
			switch {
			case test.want == "" && len(got) > 0:
				t.Errorf("got %v, want nothing wrong", got)
			case test.want != "" && (len(got) != 1 || !strings.Contains(got[0].Error(), test.want)):
				t.Errorf("got %v, want %q", got, test.want)
			}
		})
	}
}

func alerts(totals ...uint64) []oracle.Alert {
	var alerts []oracle.Alert
	for _, total := range totals {
		alerts = append(alerts, oracle.Alert{Pair: oracle.Pair{Source: 1, Target: 2}, Total: total})
	}
	return alerts
}

// TestReplayPassesCheck replays random transfers in random order; the two judges must agree.
func TestReplayPassesCheck(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(2, 2))
	for range 3000 {
		rule := oracle.Rule{Threshold: uint64(random.IntN(30)), Window: int64(random.IntN(10))}
		var transfers []oracle.Transfer
		for range random.IntN(12) {
			transfers = append(transfers, oracle.Transfer{
				Source: uint32(random.IntN(2)), Amount: uint32(random.IntN(10)), At: int64(random.IntN(40)),
			})
		}
		if wrong := rule.Check(rule.Replay(transfers), transfers); len(wrong) > 0 {
			t.Fatalf("%+v %+v: %v", rule, transfers, wrong)
		}
		if wrong := rule.CheckEvery(rule.ReplayEvery(transfers), transfers); len(wrong) > 0 {
			t.Fatalf("every time: %+v %+v: %v", rule, transfers, wrong)
		}
	}
}

func TestCheckEveryCountsAlerts(t *testing.T) {
	t.Parallel()
	rule := oracle.Rule{Threshold: 10_000, Window: 60 * minute}
	transfers := at(6000, 0, 6000, 10, 6000, 20)
	if got := rule.CheckEvery(alerts(12_000, 18_000, 18_000), transfers); len(got) > 0 {
		t.Errorf("three alerts around three transfers: %v, want nothing wrong", got)
	}
	if got := rule.CheckEvery(alerts(12_000, 18_000, 18_000, 18_000), transfers); len(got) != 1 {
		t.Errorf("four alerts around three transfers: %v, want one error", got)
	}
}

func TestParseAlerts(t *testing.T) {
	t.Parallel()
	got, err := oracle.ParseAlerts([]string{"POTENTIAL MONEY LAUNDERING: 516 -> 482 totalling 8644 now"})
	want := []oracle.Alert{{Pair: oracle.Pair{Source: 516, Target: 482}, Total: 8644}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	for _, line := range []string{
		"",
		"time=now level=info msg=started",
		" POTENTIAL MONEY LAUNDERING: 516 -> 482 totalling 8644 now",
		"POTENTIAL MONEY LAUNDERING: 516 -> 482 totalling 8644 now ",
		"POTENTIAL MONEY LAUNDERING: 0516 -> 482 totalling 8644 now",
		"POTENTIAL MONEY LAUNDERING: 4294967296 -> 482 totalling 8644 now",
		"\x1b[1;31mPOTENTIAL MONEY LAUNDERING:\x1b[0m 516 -> 482 totalling 8644 now",
	} {
		if got, err := oracle.ParseAlerts([]string{line}); err == nil {
			t.Errorf("%q: got %v, want an error", line, got)
		}
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	got := oracle.Compare(alerts(1, 2, 2, 5), alerts(1, 2, 3, 3))
	want := oracle.Difference{Missing: alerts(3), Unexpected: alerts(5), Repeated: 1}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestParseTransfer(t *testing.T) {
	t.Parallel()
	tests := []struct {
		value string
		want  oracle.Transfer
		ok    bool
	}{
		{"396 465 6789", oracle.Transfer{Source: 396, Target: 465, Amount: 6789}, true},
		{"007 4294967295 0", oracle.Transfer{Source: 7, Target: 4294967295}, true},
		{"1 2 4294967296", oracle.Transfer{}, false},
		{"1 2 -3", oracle.Transfer{}, false},
		{"1 2", oracle.Transfer{}, false},
		{"1 2 3 4", oracle.Transfer{}, false},
		{"1  2 3", oracle.Transfer{}, false},
		{"1 2 3\n", oracle.Transfer{}, false},
		{"", oracle.Transfer{}, false},
	}
	for _, test := range tests {
		if got, ok := oracle.ParseTransfer([]byte(test.value)); got != test.want || ok != test.ok {
			t.Errorf("%q: got %+v %v, want %+v %v", test.value, got, ok, test.want, test.ok)
		}
	}
}
