package main

import (
	"testing"
	"time"

	"github.com/IBM/sarama"

	"fintrans/internal/consume"
)

// newEncoding is a reading that encodes the records of London's third partition, and such records.
func newEncoding(t testing.TB) (*reading, []*sarama.ConsumerMessage) {
	t.Helper()
	r := &reading{
		encoder: &transactions{key: seriesKey(measurement, "London", 3)},
		skip:    func(_ *sarama.ConsumerMessage, why consume.Reason) { t.Errorf("a record is bad: %v", why) },
	}
	var messages []*sarama.ConsumerMessage
	for offset := range int64(maxChunk) {
		messages = append(messages, &sarama.ConsumerMessage{
			Topic: "London", Partition: 3, Offset: offset, Timestamp: time.UnixMilli(1_500_000_000_000 + offset), Value: []byte("396 465 6789"),
		})
	}
	return r, messages
}

// encodeAll makes a chunk of the records.
func encodeAll(r *reading, messages []*sarama.ConsumerMessage) {
	r.chunk.reset()
	for _, m := range messages {
		r.encode(m, 0, 1_600_000_000_000)
	}
}

func TestEncodingDoesNotAllocate(t *testing.T) { // alone: AllocsPerRun counts the whole process
	r, messages := newEncoding(t)
	encodeAll(r, messages)
	if got := testing.AllocsPerRun(100, func() { encodeAll(r, messages) }); got != 0 {
		t.Errorf("got %v allocations for %d records, want none", got, len(messages))
	}
	if r.chunk.points() != len(messages) {
		t.Errorf("got %d points of %d records", r.chunk.points(), len(messages))
	}
}

func BenchmarkEncode(b *testing.B) {
	r, messages := newEncoding(b)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if n%len(messages) == 0 { // one iteration is one record
			encodeAll(r, messages)
		}
	}
}
