package kafka

import (
	"testing"
	"time"

	"github.com/IBM/sarama"
)

func legacy(offset int64, version int8, at time.Time, value string) *sarama.MessageBlock {
	return &sarama.MessageBlock{Offset: offset, Msg: &sarama.Message{Version: version, Timestamp: at, Value: []byte(value)}}
}

func wrapper(offset int64, version int8, appended bool, at time.Time, inner ...*sarama.MessageBlock) *sarama.MessageBlock {
	return &sarama.MessageBlock{Offset: offset, Msg: &sarama.Message{
		Version: version, LogAppendTime: appended, Timestamp: at, Set: &sarama.MessageSet{Messages: inner},
	}}
}

// TestFormatsFromBeforeKafka011 reads message sets, which a topic keeps until
// its broker has been told to write the newer format and the old ones expire.
func TestFormatsFromBeforeKafka011(t *testing.T) {
	t.Parallel()
	at, appended, none := time.UnixMilli(testTime), time.UnixMilli(testTime+5), time.Time{}
	if noTime >= 0 {
		t.Fatalf("the time of a record without one is %d", noTime)
	}
	for _, test := range []struct {
		name     string
		messages []*sarama.MessageBlock
		want     []Record
		next     int64
	}{
		{"version 0 has no times", []*sarama.MessageBlock{legacy(3, 0, none, "a")},
			[]Record{{3, noTime, []byte("a")}}, 4},
		{"version 1", []*sarama.MessageBlock{legacy(3, 1, at, "a"), legacy(4, 1, at, "b")},
			[]Record{{3, testTime, []byte("a")}, {4, testTime, []byte("b")}}, 5},
		{"version 0 compressed", []*sarama.MessageBlock{wrapper(4, 0, false, none, legacy(3, 0, none, "a"), legacy(4, 0, none, "b"))},
			[]Record{{3, noTime, []byte("a")}, {4, noTime, []byte("b")}}, 5},
		{"version 1 compressed counts from 0", []*sarama.MessageBlock{wrapper(4, 1, false, at, legacy(0, 1, at, "a"), legacy(1, 1, at, "b"))},
			[]Record{{3, testTime, []byte("a")}, {4, testTime, []byte("b")}}, 5},
		{"compressed with the time of appending", []*sarama.MessageBlock{wrapper(3, 1, true, appended, legacy(0, 1, at, "a"))},
			[]Record{{3, testTime + 5, []byte("a")}}, 4},
		{"offsets before the range", []*sarama.MessageBlock{legacy(1, 1, at, "x"), legacy(2, 1, at, "y"), legacy(3, 1, at, "a")},
			[]Record{{3, testTime, []byte("a")}}, 4},
		{"an empty wrapper", []*sarama.MessageBlock{wrapper(6, 1, false, at)}, nil, 7},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := collector{next: 3, to: 100, open: map[int64]bool{}}
			block := &sarama.FetchResponseBlock{RecordsSet: []*sarama.Records{{MsgSet: &sarama.MessageSet{Messages: test.messages}}}}
			var batch Batch
			if err := c.collect(block, &batch); err != nil {
				t.Fatal(err)
			}
			checkRecords(t, rest(&batch), test.want)
			if c.next != test.next {
				t.Errorf("got next %d, want %d", c.next, test.next)
			}
		})
	}
}

func TestTimesOfRecords(t *testing.T) {
	t.Parallel()
	batch := func(change func(*sarama.RecordBatch)) *sarama.FetchResponseBlock {
		part := fullBatch(0, 1)
		change(part.set.RecordBatch)
		return &sarama.FetchResponseBlock{RecordsSet: []*sarama.Records{&part.set}}
	}
	for _, test := range []struct {
		name  string
		block *sarama.FetchResponseBlock
		check func(first, second int64) bool
	}{
		{"of the producer", batch(func(*sarama.RecordBatch) {}), func(a, b int64) bool { return a == testTime && b == testTime+1 }},
		{"of appending", batch(func(b *sarama.RecordBatch) { b.LogAppendTime, b.MaxTimestamp = true, time.UnixMilli(testTime+9) }),
			func(a, b int64) bool { return a == testTime+9 && b == testTime+9 }},
		{"none", batch(func(b *sarama.RecordBatch) { b.FirstTimestamp = time.Time{} }), func(a, b int64) bool { return a < 0 && b < 0 }},
	} {
		c := collector{to: 2, open: map[int64]bool{}}
		var batch Batch
		if err := c.collect(test.block, &batch); err != nil || batch.Left() != 2 {
			t.Fatalf("%s: got %d records, error %v", test.name, batch.Left(), err)
		}
		if got := rest(&batch); !test.check(got[0].Millis, got[1].Millis) {
			t.Errorf("%s: got %d and %d", test.name, got[0].Millis, got[1].Millis)
		}
	}
}
