package cases

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"fintrans/demo/harness"
	"fintrans/demo/oracle"
)

// badRecords are records of every kind that is no transaction, by the reason under which they are counted.
func badRecords(now time.Time) map[string][]harness.Record {
	value := func(values ...string) []harness.Record {
		var records []harness.Record
		for _, v := range values {
			records = append(records, harness.Record{Value: []byte(v), Time: now})
		}
		return records
	}
	return map[string][]harness.Record{
		"fields":       value("1 2", "1 2 3 4", "1  2 3", " 1 2 3", "1 2 3 ", "1\t2\t3", "money"),
		"not_a_number": value("a b c", "1 2 3.5", "1 2 0x3", "1 2 3\n", "1 2 +3", "1 2 \xff\xfe", "１ 2 3"),
		"negative":     value("1 2 -3", "-1 2 3"),
		"overflow":     value("1 2 4294967296", "1 99999999999999999999999 3"),
		"empty":        {{Value: []byte{}, Time: now}},
		"tombstone":    {{Key: []byte("1 2"), Time: now}},
		"no_timestamp": {{Value: []byte("1 2 9999"), Time: time.UnixMilli(-1)}},
		"ahead":        {{Value: []byte("1 2 9999"), Time: now.Add(time.Hour)}},
	}
}

// BadRecordsAreSkipped shows that records of every kind that is no transaction, a megabyte of noise among
// them, stop neither consumer, count as no money, and are counted by reason by both alike.
func BadRecordsAreSkipped(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{Partitions: 1})
	rule := oracle.Rule{Threshold: 10_000, Window: 60 * minute}
	in, det := s.Start(ingest, quick), s.Start(detector, rules(rule, 10*time.Minute))
	now := time.UnixMilli(time.Now().UnixMilli())

	bad := badRecords(now)
	bad["fields"] = append(bad["fields"], harness.Record{Value: bytes.Repeat([]byte("x"), 1_000_000), Time: now})
	var all, money []harness.Record
	for i, city := range harness.Cities() {
		for _, kind := range bad {
			for _, record := range kind {
				good := harness.Transfer(city, now, uint32(i), 100, 120)
				record.City, record.Partition = city, 0
				all = append(all, good, record)
				money = append(money, good)
			}
		}
	}
	crossing := harness.Transfer("Tokyo", now, 4, 100, 9999)
	money = append(money, crossing)
	s.Produce(append(all, crossing)...)

	s.AwaitVolumes(volumes(money))
	awaitJudged(t, det, len(all)+1)
	for reason, records := range bad {
		for _, city := range harness.Cities() {
			for _, p := range []*harness.Process{in, det} {
				awaitBad(t, p, city, reason, len(records))
			}
		}
	}
	term(t, in, det)
	want := rule.Replay(transfers(money))
	if got := alerts(t, det); len(want) != 1 || len(got) != 1 || got[0] != want[0] {
		t.Errorf("alerts %v, want %v", got, want)
	}
	for _, p := range []*harness.Process{in, det} {
		if log := strings.Join(p.Log(), "\n"); strings.Contains(log, "xxxxxxxx") || strings.Contains(log, "money") {
			t.Errorf("%v logs what bad records say", p)
		}
	}
}

func awaitBad(t testing.TB, p *harness.Process, city, reason string, want int) {
	t.Helper()
	name := "influx_ingest_bad_records_total"
	if strings.HasPrefix(p.String(), detector) {
		name = "laundering_detector_bad_records_total"
	}
	harness.Eventually(t, func() (bool, string) {
		got, samples := p.Metric(name, harness.Labels{"topic": city, "reason": reason})
		return samples == 1 && int(got) == want, fmt.Sprintf("%v: %s of %s because of %s: %v in %d samples, want %d", p, name, city, reason, got, samples, want)
	})
}
