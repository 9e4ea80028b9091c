package cases

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"fintrans/demo/harness"
	"fintrans/demo/oracle"
)

// GeneratedMoneyArrives runs the generator and the ingest: what was sent is in the topics, and what is
// in the topics is in InfluxDB, in number and sum, city by city.
func GeneratedMoneyArrives(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{Partitions: harness.NoTopics})
	const number = 20_000
	in := s.Start(ingest, quick)
	generator := s.Start("generator", harness.Env{"GEN_WAIT_SEC": "0", "GEN_COUNT": fmt.Sprint(number)})
	if status := generator.Wait(); status != 0 {
		t.Fatalf("generator: exit status %d after the last transaction, want 0", status)
	}

	log := s.Log(harness.Cities()...)
	if len(log) != number {
		t.Errorf("%d records in the topics, want %d", len(log), number)
	}
	for _, r := range log {
		moved, ok := oracle.ParseTransfer(r.Value)
		if !ok || moved.Source == moved.Target || string(r.Key) != fmt.Sprintf("%d %d", moved.Source, moved.Target) {
			t.Fatalf("%s/%d offset %d: key %q, value %q", r.City, r.Partition, r.Offset, r.Key, r.Value)
		}
	}
	s.AwaitVolumes(volumes(log))
	term(t, in)
}

// EachTransactionIsOnePoint looks at every point: its time is made of the record's time and offset, its
// tags are the city and the partition, and its fields are those of the value.
func EachTransactionIsOnePoint(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	records := flow{
		seed: 1, number: 3000, accounts: 5, largest: 9999, span: 50 * time.Minute, weights: []int{16, 8, 4, 2, 1},
	}.transactions()
	moment := records[0].Time
	for i := range 1000 { // in one millisecond, between the same accounts, of the same amount
		records = append(records, harness.Transfer(harness.Cities()[i%5], moment, 1, 2, 3))
	}
	in := s.Start(ingest, quick)
	s.Produce(records...)
	s.AwaitCommitted(ingest, harness.Cities()...)

	want := map[string]string{}
	for _, r := range s.Log(harness.Cities()...) {
		key := fmt.Sprintf("%s/%d %d", r.City, r.Partition, r.Time.UnixNano()+r.Offset%1_000_000)
		want[key] = string(r.Value)
	}
	got := map[string]string{}
	for _, series := range s.Query(`SELECT source, target, amount FROM "hour"."transactions" GROUP BY city, partition`) {
		for row := range series.Values {
			key := fmt.Sprintf("%s/%s %d", series.Tags["city"], series.Tags["partition"], series.Integer(row, "time"))
			got[key] = fmt.Sprintf("%d %d %d", series.Integer(row, "source"), series.Integer(row, "target"), series.Integer(row, "amount"))
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("%d points, want %d: %s", len(got), len(want), firstDifference(got, want))
	}
	term(t, in)
}

// firstDifference says where the maps differ, for a message.
func firstDifference(got, want map[string]string) string {
	for key, value := range want {
		if got[key] != value {
			return fmt.Sprintf("%s is %q, want %q", key, got[key], value)
		}
	}
	for key, value := range got {
		if _, ok := want[key]; !ok {
			return fmt.Sprintf("%s is %q, want none", key, value)
		}
	}
	return "none"
}
