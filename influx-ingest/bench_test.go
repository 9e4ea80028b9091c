package main

import (
	"testing"
	"time"

	"fintrans/internal/consume"
	"fintrans/internal/kafka"
)

// newEncoding is a reading that encodes the records of London's third partition, and such records.
func newEncoding(t testing.TB) (*reading, []kafka.Record) {
	t.Helper()
	r := &reading{
		encoder: &transactions{key: seriesKey(measurement, "London", 3)},
		claim:   &fakeClaim{},
		maxAge:  100 * 365 * 24 * time.Hour,
		skip:    func(_ string, _ int32, _ *kafka.Record, why consume.Reason) { t.Errorf("a record is bad: %v", why) },
	}
	var records []kafka.Record
	for offset := range int64(maxChunk) {
		records = append(records, kafka.Record{Offset: offset, Millis: 1_500_000_000_000 + offset, Value: []byte("396 465 6789")})
	}
	return r, records
}

// encodeAll makes a chunk of the records.
func encodeAll(r *reading, records []kafka.Record) {
	r.chunk.reset()
	r.encode(records)
}

func TestEncodingDoesNotAllocate(t *testing.T) { // alone: AllocsPerRun counts the whole process
	r, records := newEncoding(t)
	encodeAll(r, records)
	if got := testing.AllocsPerRun(100, func() { encodeAll(r, records) }); got != 0 {
		t.Errorf("got %v allocations for %d records, want none", got, len(records))
	}
	if r.chunk.points() != len(records) {
		t.Errorf("got %d points of %d records", r.chunk.points(), len(records))
	}
}

func BenchmarkEncode(b *testing.B) {
	r, records := newEncoding(b)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if n%len(records) == 0 { // one iteration is one record
			encodeAll(r, records)
		}
	}
}
