package cases

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"fintrans/demo/harness"
	"fintrans/demo/oracle"
)

// logs are the cases of what happens to the topics of the cities, and of what times their records have.
func logs() []Case {
	return []Case{
		{"RetentionPassesBy", RetentionPassesBy},
		{"CityIsCreatedAgain", CityIsCreatedAgain},
		{"TimesOfRecords", TimesOfRecords},
		{"ClocksApart", ClocksApart},
		{"CitiesOfBadRecordsHoldNobody", CitiesOfBadRecordsHoldNobody},
	}
}

// fiveMinutes is a rule with a window that is shorter than the pauses between the parts of inParts.
var fiveMinutes = oracle.Rule{Threshold: 10_000, Window: 5 * minute}

// inParts are three parts of transactions of five cities, so far apart that no window spans two of them: whatever
// becomes of the records of one changes no alert of the others.
func inParts() [3][]harness.Record {
	var parts [3][]harness.Record
	for i := range parts {
		records := flow{
			seed: uint64(41 + i), number: 4000, accounts: 20, largest: 5000, span: 7 * time.Minute, weights: []int{5, 4, 3, 2, 1},
		}.transactions()
		for j := range records {
			records[j].Time = records[j].Time.Add(-time.Duration(2-i) * 20 * time.Minute)
		}
		parts[i] = records
	}
	return parts
}

// RetentionPassesBy deletes records that the consumers have not read, and some that they have, while they are away:
// they say so, and go on with what is left.
func RetentionPassesBy(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	in, det := s.Start(ingest, quick), s.Start(detector, rules(fiveMinutes, time.Minute))
	parts := inParts()
	s.Produce(parts[0]...)
	s.AwaitVolumes(volumes(parts[0]))
	s.AwaitCommitted(ingest, harness.Cities()...)
	s.AwaitCommitted(detector, harness.Cities()...)
	term(t, in, det)

	read := s.EndOffsets(harness.Cities()...)
	s.Produce(parts[1]...)
	deleted := harness.Offsets{"London": {}, "Tokyo": {}}
	lost := int64(0)
	for city, partitions := range deleted {
		for partition, end := range s.EndOffsets(city)[city] {
			partitions[partition] = (read[city][partition] + end) / 2
			lost += partitions[partition] - read[city][partition]
		}
	}
	var kept []harness.Record
	for _, r := range s.Log(harness.Cities()...) {
		if r.Offset < read[r.City][r.Partition] || r.Offset >= deleted[r.City][r.Partition] {
			kept = append(kept, r)
		}
	}
	s.DeleteRecords(deleted)
	in.Restart()
	det.Restart()
	s.AwaitVolumes(volumes(kept))
	s.Produce(parts[2]...)
	kept = append(kept, parts[2]...)
	s.AwaitVolumes(volumes(kept))
	s.AwaitCommitted(detector, harness.Cities()...)
	det.AwaitLog("Kafka no longer has records that were not judged yet")
	in.AwaitLog("Kafka no longer has records that were not read yet")
	for p, name := range map[*harness.Process]string{in: "influx_ingest_records_gone_total", det: "laundering_detector_records_gone_total"} {
		if gone, _ := p.Metric(name, nil); int64(gone) != lost || lost == 0 {
			t.Errorf("%s of %v is %v, want %d", name, p, gone, lost)
		}
	}
	term(t, in, det)
	report(t, fiveMinutes.Check(alerts(t, det), transfers(kept)))
}

// CityIsCreatedAgain deletes the topic of a city and creates it again while two of each consumer run: what was in the old
// one stays in InfluxDB, and what comes into the new one gets there and is judged. Brokers before Kafka 2.8 do not tell one from the other.
func CityIsCreatedAgain(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	in := []*harness.Process{s.Start(ingest, quick), s.Start(ingest, quick)}
	// What comes into a topic that was just created may come seconds after the others' of the same times: that must not
	// make it late.
	lenient := rules(fiveMinutes, time.Hour)
	det := []*harness.Process{s.Start(detector, lenient), s.Start(detector, lenient)}
	all := slices.Concat(in, det)
	s.AwaitMembers(ingest, len(in))
	s.AwaitMembers(detector, len(det))
	var sent []harness.Record
	for i, part := range inParts() {
		if i > 0 {
			s.DeleteTopics("London")
			awaitCreatable(t, s, "London")
		}
		produceWith(t, s, part) // by another client each time: ours knows the topic that is gone
		sent = append(sent, part...)
		s.AwaitVolumes(volumes(sent))
		harness.Eventually(t, func() (bool, string) {
			first, _ := det[0].Metric("laundering_detector_records_total", nil)
			second, _ := det[1].Metric("laundering_detector_records_total", nil)
			return int(first+second) >= len(sent), fmt.Sprintf("%v and %v records of %d were judged", first, second, len(sent))
		})
		s.AwaitCommitted(ingest, harness.Cities()...)
		s.AwaitCommitted(detector, harness.Cities()...)
	}
	for _, p := range all {
		p.AwaitReady()
	}
	term(t, all...)
	report(t, fiveMinutes.Check(alertsOf(t, det...), transfers(sent)))
}

// awaitCreatable creates the topic as soon as the one of this name is gone.
func awaitCreatable(t testing.TB, s *harness.System, topic string) {
	t.Helper()
	harness.Eventually(t, func() (bool, string) {
		err := s.TryCreateTopics(6, topic)
		return err == nil, fmt.Sprint(err)
	})
}

// PoisonedCityDelaysNoOther floods one city with noise: the money and the alerts of the others flow, and the noise
// hides none of its own.
func PoisonedCityDelaysNoOther(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	in, det := s.Start(ingest, quick), s.Start(detector, rules(tenMinutes, 10*time.Minute))
	noise := startStream(t, s, func(yield func(harness.Record) bool) {
		text := make([]byte, 1000)
		for i := int32(0); ; i++ {
			if !yield(harness.Record{City: "Tokyo", Partition: i % 6, Value: text, Time: time.Now()}) {
				return
			}
		}
	}, load)
	awaitMetric(t, in, "influx_ingest_bad_records_total", load)
	awaitMetric(t, det, "laundering_detector_bad_records_total", load)
	records := recent.transactions()
	s.Produce(records...)
	s.AwaitVolumes(volumes(records))
	awaitAlertsOf(t, det, records)
	sent := noise.stop()
	for _, p := range []*harness.Process{in, det} {
		awaitBad(t, p, "Tokyo", "fields", len(sent))
	}
	term(t, in, det)
	report(t, tenMinutes.Check(alerts(t, det), transfers(records)))
}

// CitiesOfBadRecordsHoldNobody has the clock of one city go wrong after its first transaction, and another never send a
// good record: the others neither wait for them, though they go on for much longer than a window, nor is held for them
// what the others no longer need.
func CitiesOfBadRecordsHoldNobody(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{Partitions: 1})
	flow := recent
	flow.weights = []int{3, 2, 1, 0, 0}
	records := flow.transactions()
	records = append([]harness.Record{harness.Transfer("Tokyo", records[0].Time, 1, 2, 3)}, records...)
	det := s.Start(detector, rules(tenMinutes, 10*time.Minute))
	startStream(t, s, func(yield func(harness.Record) bool) {
		for {
			ahead := harness.Transfer("Tokyo", time.Now().Add(time.Hour), 1, 2, 3)
			if !yield(ahead) || !yield(harness.Transfer("Moscow", time.UnixMilli(-1), 1, 2, 3)) {
				return
			}
		}
	}, load/10)
	// By the batch: a city is not paused in the middle of what it has already fetched.
	for end := 0; end < len(records); {
		begin := end
		end = min(begin+len(records)/4, len(records))
		s.Produce(records[begin:end]...)
		awaitAlertsOf(t, det, records[:end])
	}
	startStream(t, s, func(yield func(harness.Record) bool) { // what is held is looked at when something comes
		for yield(harness.Transfer("London", time.Now(), 998, 999, 0)) {
		}
	}, 50)
	harness.Eventually(t, func() (bool, string) {
		held, _ := det.Metric("laundering_detector_window_transactions", nil)
		return int(held) < len(records)*3/4, fmt.Sprintf("%v of %d transactions are held, want those of half the time", held, len(records))
	})
	term(t, det)
	report(t, tenMinutes.Check(alerts(t, det), transfers(records)))
}

// TimesOfRecords sends transactions of long ago, of now and from ahead of the clock: the detector judges whatever is
// not too far ahead, InfluxDB gets what its retention has room for.
func TimesOfRecords(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	in, det := s.Start(ingest, quick), s.Start(detector, rules(tenMinutes, time.Minute))
	awaitNoLag(t, in) // it has its claims, and so has passed over what is older than the retention: nothing yet
	now := time.UnixMilli(time.Now().UnixMilli())
	ages := []struct {
		at      time.Time
		expired bool
	}{
		{time.UnixMilli(1), true},
		{now.AddDate(-10, 0, 0), true},
		{now.Add(-2 * time.Hour), true},
		{now.Add(-61 * time.Minute), true},
		{now.Add(-50 * time.Minute), false},
		{now.Add(-20 * time.Minute), false},
		{now, false},
		{now.Add(40 * time.Second), false},
	}
	var all, stored []harness.Record
	expired := 0
	for i, age := range ages {
		for _, city := range []string{"London", "NYC", "London"} { // three in one millisecond, the second crosses
			r := harness.Transfer(city, age.at, uint32(i), 100, 6000)
			all = append(all, r)
			if age.expired {
				expired++
			} else {
				stored = append(stored, r)
			}
		}
	}
	s.Produce(all...)
	s.Produce( // too far ahead, and no time at all
		harness.Transfer("London", now.Add(3*time.Minute), 50, 100, 60_000),
		harness.Transfer("London", time.UnixMilli(-1), 51, 100, 60_000),
	)
	s.AwaitVolumes(volumes(stored))
	for _, p := range []*harness.Process{in, det} {
		awaitBad(t, p, "London", "ahead", 1)
		awaitBad(t, p, "London", "no_timestamp", 1)
	}
	awaitMetric(t, in, "influx_ingest_expired_total", float64(expired))
	awaitJudged(t, det, len(all)+2)
	term(t, in, det)
	got := alerts(t, det)
	report(t, tenMinutes.Check(got, transfers(all)))
	if len(got) != len(ages) {
		t.Errorf("%d alerts, want %d: one for each moment", len(got), len(ages))
	}
}

// TimesOfTheBrokers has the brokers give all records the time of their arrival, whatever their producers say. The
// embedded ones do not know that setting of a topic.
func TimesOfTheBrokers(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{Partitions: harness.NoTopics})
	s.CreateTopicsWith(6, map[string]string{"message.timestamp.type": "LogAppendTime"}, harness.Cities()...)
	in, det := s.Start(ingest, quick), s.Start(detector, rules(tenMinutes, 10*time.Minute))
	records := recent.transactions()
	for i := range records {
		records[i].Time = records[i].Time.AddDate(-1, 0, 0)
	}
	for part := range slices.Chunk(records, len(records)/5) {
		s.Produce(part...)
	}
	s.AwaitVolumes(volumes(records))
	awaitJudged(t, det, len(records))
	term(t, in, det)
	log := s.Log(harness.Cities()...)
	for _, r := range log {
		if time.Since(r.Time) > time.Hour {
			t.Fatalf("%s/%d offset %d has the time %v: the brokers do not set it", r.City, r.Partition, r.Offset, r.Time)
		}
	}
	report(t, tenMinutes.Check(alerts(t, det), transfers(log)))
}

// ClocksApart has five producers whose clocks are minutes apart, one of them ahead of ours. Whatever time a record has
// is the time of its transaction.
func ClocksApart(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	ahead := func(env harness.Env) harness.Env { return with(env, "MAX_AHEAD", "5m") }
	in, det := s.Start(ingest, ahead(quick)), s.Start(detector, ahead(rules(tenMinutes, 10*time.Minute)))
	clocks := map[string]time.Duration{"London": 0, "NYC": 4 * time.Minute, "SF": -7 * time.Minute, "Moscow": -3 * time.Minute, "Tokyo": 90 * time.Second}
	records := recent.transactions()
	for i := range records {
		records[i].Time = records[i].Time.Add(clocks[records[i].City])
	}
	s.Produce(records...)
	s.AwaitVolumes(volumes(records))
	awaitJudged(t, det, len(records))
	term(t, in, det)
	report(t, tenMinutes.Check(alerts(t, det), transfers(records)))
}
