package harness_test

import (
	"fmt"
	"testing"
	"time"

	"fintrans/demo/harness"
	"fintrans/internal/transaction"
)

func TestProduceAndLog(t *testing.T) {
	t.Parallel()
	s := harness.NewSystem(t, harness.Embedded, harness.Need{Brokers: 2})
	now := time.UnixMilli(time.Now().UnixMilli())
	records := []harness.Record{
		{City: "Tokyo", Partition: 4, Value: []byte("no key"), Time: now.Add(-time.Hour)},
		{City: "Tokyo", Partition: 4, Key: []byte("tombstone"), Time: now},
		{City: "Tokyo", Partition: 4, Value: []byte("no time"), Time: time.UnixMilli(-1), Headers: map[string]string{"ring": "7"}},
	}
	for account := range uint32(100) {
		records = append(records, harness.Transfer("SF", now, account, 2, 3))
	}
	s.Produce(records...)

	log := s.Log("SF", "Tokyo", "NYC")
	if got, want := len(log), len(records); got != want {
		t.Fatalf("%d records, want %d", got, want)
	}
	tokyo := 0
	for _, got := range log {
		if got.City == "SF" {
			if want := transaction.Partition(got.Key, 6); got.Partition != want {
				t.Errorf("key %q is in partition %d, want %d", got.Key, got.Partition, want)
			}
			continue
		}
		want := records[tokyo]
		want.Offset = int64(tokyo)
		if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) || (got.Value == nil) != (want.Value == nil) {
			t.Errorf("got %+v, want %+v", got, want)
		}
		tokyo++
	}
	if got := s.EndOffsets("Tokyo")["Tokyo"][4]; got != 3 {
		t.Errorf("end offset %d, want 3", got)
	}
}

func TestTopicsComeAndGrow(t *testing.T) {
	t.Parallel()
	s := harness.NewSystem(t, harness.Embedded, harness.Need{Partitions: harness.NoTopics})
	s.CreateTopics(1, "London")
	s.AddPartitions(2, "London")
	if got := len(s.EndOffsets("London")["London"]); got != 3 {
		t.Errorf("%d partitions, want 3", got)
	}
	s.Produce(harness.Record{City: "London", Partition: 2, Value: []byte("x"), Time: time.Now()})
	s.DeleteTopics("London")
	s.CreateTopics(1, "London")
	if got := s.Log("London"); len(got) > 0 {
		t.Errorf("a new topic holds %+v", got)
	}
}

func TestVolumes(t *testing.T) {
	t.Parallel()
	s := harness.NewSystem(t, harness.Embedded, harness.Need{Partitions: harness.NoTopics})
	if got := s.Volumes(); len(got) > 0 {
		t.Errorf("without a database: %v", got)
	}
	s.Query(`CREATE DATABASE fintrans; CREATE RETENTION POLICY "hour" ON fintrans DURATION 1h REPLICATION 1 SHARD DURATION 1h DEFAULT`)
	now := time.Now().UnixMilli()
	s.Query(fmt.Sprintf(`SELECT count(amount) FROM "hour"."transactions" WHERE time > %dms`, now))
	s.AwaitVolumes(map[string]harness.Volume{})
}
