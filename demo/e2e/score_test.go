package e2e_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"fintrans/demo/harness"
	"fintrans/demo/ledger"
	"fintrans/demo/oracle"
	"fintrans/demo/score"
)

// scoreOf reads the topics and scores the alerts of a detector that has just ended.
func scoreOf(t *testing.T, s *harness.System, rule oracle.Rule, det *harness.Process) score.Score {
	t.Helper()
	topics, err := ledger.OpenTopics(t.Context(), s.Kafka.Addrs(), harness.Cities())
	if err != nil {
		t.Fatal(err)
	}
	defer topics.Close()
	end, err := topics.Ends(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var records []ledger.Record
	if _, err := topics.Read(t.Context(), ledger.Position{}, end, func(r ledger.Record) { records = append(records, r) }); err != nil {
		t.Fatal(err)
	}
	lines, err := oracle.ParseAlerts(det.Stdout())
	if err != nil {
		t.Fatal(err)
	}
	alerts := make([]score.Alert, len(lines))
	for i, line := range lines {
		alerts[i] = score.Alert{Alert: line, Came: time.Now()}
	}
	return score.Judge(rule, nil, records, alerts)
}

// brittle is the rule of rings that are only just detected.
var brittle = oracle.Rule{Threshold: 10_000, Window: 10 * time.Minute.Milliseconds()}

// brittleRings is their number, and that of the pairs that must not alert.
const brittleRings = 30

// brittleRecords are rings of one transfer in each city, together a dollar over the threshold, spread over
// most of the window; and as many pairs that are at the threshold and not over it. They are in two parts.
func brittleRecords(begin time.Time) (parts [2][]harness.Record) {
	for transfer, city := range harness.Cities() {
		at := begin.Add(time.Duration(transfer) * 2 * time.Minute)
		for i := range uint32(brittleRings) {
			amount := uint32(2000)
			if transfer == 0 {
				amount++
			}
			ring := harness.Transfer(city, at, 1000+i, 2000+i, amount)
			ring.Headers = map[string]string{"ring": fmt.Sprint(i + 1), "ring-transfers": fmt.Sprint(len(harness.Cities()))}
			part := min(1, transfer/2)
			parts[part] = append(parts[part], ring, harness.Transfer(city, at, 3000+i, 4000+i, 2000))
		}
	}
	return parts
}

// scoreBrittle has a detector from the folder, or the one of this checkout, judge the first part of the
// brittle records, be killed, and judge the second.
func scoreBrittle(t *testing.T, binaries string) score.Score {
	t.Helper()
	s := harness.NewSystem(t, harness.Embedded, harness.Need{})
	det := s.Start("laundering-detector", harness.Env{
		"ALERT_THRESHOLD": fmt.Sprint(brittle.Threshold), "ALERT_WINDOW": "10m", "ALERT_LATENESS": "1m",
	}, harness.Options{Binaries: binaries})
	for part, records := range brittleRecords(time.UnixMilli(time.Now().Add(-time.Hour).UnixMilli())) {
		if part > 0 {
			det.Kill()
			det.Restart()
		}
		s.Produce(records...)
		s.AwaitCommitted("laundering-detector", harness.Cities()...)
	}
	if status := det.Term(); status != 0 {
		t.Errorf("exit status %d, want 0", status)
	}
	return scoreOf(t, s, brittle, det)
}

func TestScoreIsFull(t *testing.T) {
	t.Parallel()
	got := scoreBrittle(t, "")
	if got.Planted != brittleRings || got.Recall() != 1 || got.Alerts != brittleRings || got.Precision() != 1 {
		t.Errorf("score %+v, want %d rings, recall and precision 1", got, brittleRings)
	}
}

// TestScoreFallsWithTheDetector breaks the detector and wants to see it in the score.
func TestScoreFallsWithTheDetector(t *testing.T) {
	t.Parallel()
	const windowConfig, shard = "laundering-detector/detector.go", "laundering-detector/shard.go"
	tests := []struct {
		name      string
		mutate    harness.Mutation
		precision bool // falls; otherwise recall does
	}{
		{"the threshold is a dollar too high", harness.Mutation{
			File: windowConfig, Old: "uint64(d.cfg.AlertThreshold),", New: "uint64(d.cfg.AlertThreshold) + 1,",
		}, false},
		{"the threshold is a dollar too low", harness.Mutation{
			File: windowConfig, Old: "uint64(d.cfg.AlertThreshold),", New: "uint64(d.cfg.AlertThreshold) - 1,",
		}, true},
		{"a city is ignored", harness.Mutation{
			File: shard, Old: "	at, pair := record.Millis, v.Pair()\n",
			New: "	if s.detector.topics[topic] == \"Moscow\" {\n		return false, nil\n	}\n	at, pair := record.Millis, v.Pair()\n",
		}, false},
		{"the window is half as long", harness.Mutation{
			File: windowConfig, Old: "d.cfg.AlertWindow.Milliseconds(),", New: "d.cfg.AlertWindow.Milliseconds() / 2,",
		}, false},
		{"the window is not read back after a kill", harness.Mutation{
			File: "laundering-detector/rebuild.go",
			Old:  "	for topic, begin := range begins {\n		n, err := s.readBack(",
			New:  "	for topic, begin := range begins[:0] {\n		n, err := s.readBack(",
		}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := scoreBrittle(t, harness.FastMutant(t, "laundering-detector", test.mutate))
			if got.Planted != brittleRings || test.precision != (got.Precision() < 1) || test.precision != (got.Recall() == 1) {
				t.Errorf("planted %d, recall %v, precision %v: want %d, and precision to fall: %v, else recall",
					got.Planted, got.Recall(), got.Precision(), brittleRings, test.precision)
			}
		})
	}
}

// anHourAtOnce makes of the generator one that sends at full speed, with the times that its transactions
// would have had during the past hour: what it draws and plants stays the same.
var anHourAtOnce = []harness.Mutation{
	{File: "generator/produce.go", Old: "pace: pace{wait: cfg.GenWaitSec.Duration()},", New: "pace: pace{},"},
	{
		File: "generator/produce.go", Old: "g.message.fill(g.plan.next(), now)",
		New: "g.message.fill(g.plan.next(), anHourAgo.Add(time.Duration(g.handedOver)*g.cfg.GenWaitSec.Duration()))",
	},
	{File: "generator/produce.go", Old: "\t\tg.message.Time = time.Now()\n", New: ""},
	{
		File: "generator/produce.go", Old: "// generator sends the transactions of a plan",
		New: "var anHourAgo = time.Now().Add(-time.Hour)\n\n// generator sends the transactions of a plan",
	},
}

// TestPrecisionOverAnHour runs generator and detector with their defaults over an hour of transactions, at the
// rate of the demo and at 300 per second: chance alone brings next to no alerts about.
func TestPrecisionOverAnHour(t *testing.T) {
	t.Parallel()
	hurried, fast := harness.FastMutant(t, "generator", anHourAtOnce...), harness.FastMutant(t, "laundering-detector")
	for _, rate := range []int{20, 300} {
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			t.Parallel()
			s := harness.NewSystem(t, harness.Embedded, harness.Need{})
			det := s.Start("laundering-detector", nil, harness.Options{Binaries: fast})
			generator := s.Start("generator", harness.Env{
				"GEN_WAIT_SEC": fmt.Sprintf("%.9f", 1/float64(rate)), "GEN_COUNT": fmt.Sprint(rate * 3600), "GEN_SEED": "1",
			}, harness.Options{Binaries: hurried})
			// A million transactions are more than what others wait for.
			harness.EventuallyWithin(t, 2*harness.Patience, func() (bool, string) {
				judged, _ := det.Metric("laundering_detector_records_total", nil)
				return int(judged) >= rate*3600, fmt.Sprintf("%v of %d transactions were judged", judged, rate*3600)
			})
			if status := generator.Wait(); status != 0 {
				t.Fatalf("generator: exit status %d, want 0", status)
			}
			s.AwaitCommitted("laundering-detector", harness.Cities()...)
			if status := det.Term(); status != 0 {
				t.Errorf("exit status %d, want 0", status)
			}
			got := scoreOf(t, s, oracle.Rule{Threshold: 10_000, Window: time.Hour.Milliseconds()}, det)
			got.Latencies = nil // of transactions that pretend to be older than they are
			if least := rate * 4; got.Planted < least || got.Recall() != 1 || got.Precision() < 0.97 {
				t.Errorf("%q, want %d rings at least, all detected, and a precision of 97 %% at least", got.Lines(), least)
			}
			if wrong := slices.IndexFunc(got.Unexplained, func(u score.Unexplained) bool { return u.Wrong }); wrong >= 0 {
				t.Errorf("an alert of a pair that was never over the threshold: %v", got.Unexplained[wrong])
			}
			t.Log(got.Lines())
		})
	}
}
