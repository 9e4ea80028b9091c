package kafka

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
	"unsafe"

	"github.com/IBM/sarama"
)

// logPart is a part of a made-up partition: one batch as a broker would send it.
type logPart struct {
	set   sarama.Records
	first int64
	last  int64 // offset of the last record, also where compaction has removed it
	bytes int32
	want  []Record // what a reader of committed data sees of it
}

// fakeLog is a partition that follows Kafka's rules for fetches.
type fakeLog struct {
	parts   []logPart
	aborted []*sarama.AbortedTransaction
	start   int64 // of the log
	stable  int64
	end     int64
	perAsk  int     // how many parts are sent at once
	errs    []error // to be given first, one by one
	asked   []int64
	sizes   []int32
}

func (f *fakeLog) oldest(context.Context, string, int32, func()) (int64, error) { return f.start, nil }

func (f *fakeLog) fetch(_ context.Context, _ string, _ int32, offset int64, bytes int32, _ func()) (*sarama.FetchResponseBlock, error) {
	f.asked, f.sizes = append(f.asked, offset), append(f.sizes, bytes)
	if len(f.errs) > 0 {
		err := f.errs[0]
		f.errs = f.errs[1:]
		return nil, err
	}
	if offset < f.start || offset > f.end {
		return nil, sarama.ErrOffsetOutOfRange
	}
	block := &sarama.FetchResponseBlock{HighWaterMarkOffset: f.end, LastStableOffset: f.stable}
	for _, aborted := range f.aborted {
		if f.markerOf(aborted) >= offset {
			block.AbortedTransactions = append(block.AbortedTransactions, aborted)
		}
	}
	sent := 0
	for _, part := range f.parts {
		if part.last < offset || part.first >= f.stable || sent == f.perAsk {
			continue
		}
		sent++
		switch {
		case part.bytes > bytes:
			if sent == 1 {
				block.RecordsSet = append(block.RecordsSet, &sarama.Records{RecordBatch: &sarama.RecordBatch{PartialTrailingRecord: true}})
			}
			return block, nil
		case empty(part.set):
			leaveOut(block, part.last+1)
		default:
			block.RecordsSet = append(block.RecordsSet, &part.set)
		}
	}
	return block, nil
}

// markerOf returns the offset at which an aborted transaction ends.
func (f *fakeLog) markerOf(aborted *sarama.AbortedTransaction) int64 {
	for _, part := range f.parts {
		batch := part.set.RecordBatch
		if batch.Control && batch.ProducerID == aborted.ProducerID && part.first >= aborted.FirstOffset {
			return part.first
		}
	}
	return f.end
}

// leaveOut says of a block what sarama's decoder says where it has left out the batches, the last of them: what follows.
func leaveOut(block *sarama.FetchResponseBlock, next int64) {
	field := reflect.ValueOf(block).Elem().FieldByName("recordsNextOffset")
	*(**int64)(unsafe.Pointer(field.UnsafeAddr())) = &next
}

func empty(set sarama.Records) bool {
	return set.RecordBatch != nil && len(set.RecordBatch.Records) == 0
}

const testTime = 1_700_000_000_000

// dataBatch is a batch with the records of the given offsets, all of them below last+1.
func dataBatch(first, last int64, offsets ...int64) logPart {
	batch := &sarama.RecordBatch{
		Version: 2, FirstOffset: first, LastOffsetDelta: int32(last - first), ProducerID: -1,
		FirstTimestamp: time.UnixMilli(testTime + first),
	}
	part := logPart{first: first, last: last}
	for _, offset := range offsets {
		value := fmt.Appendf(nil, "value %d", offset)
		batch.Records = append(batch.Records, &sarama.Record{
			OffsetDelta: offset - first, TimestampDelta: time.Duration(offset-first) * time.Millisecond, Value: value,
		})
		part.want = append(part.want, Record{Offset: offset, Millis: testTime + offset, Value: value})
	}
	part.set.RecordBatch = batch
	return part
}

func fullBatch(first, last int64) logPart {
	var offsets []int64
	for o := first; o <= last; o++ {
		offsets = append(offsets, o)
	}
	return dataBatch(first, last, offsets...)
}

func inTransaction(part logPart, producer int64, aborted bool) logPart {
	part.set.RecordBatch.IsTransactional, part.set.RecordBatch.ProducerID = true, producer
	if aborted {
		part.want = nil
	}
	return part
}

const (
	abortMarker  = 0
	commitMarker = 1
)

func marker(offset, producer int64, kind uint16) logPart {
	key := binary.BigEndian.AppendUint16([]byte{0, 0}, kind)
	return logPart{first: offset, last: offset, set: sarama.Records{RecordBatch: &sarama.RecordBatch{
		Version: 2, FirstOffset: offset, ProducerID: producer, IsTransactional: true, Control: true,
		Records: []*sarama.Record{{Key: key, Value: make([]byte, 6)}},
	}}}
}

func logOf(parts ...logPart) *fakeLog {
	end := int64(0)
	if len(parts) > 0 {
		end = parts[len(parts)-1].last + 1
	}
	return &fakeLog{parts: parts, stable: end, end: end, perAsk: 2}
}

func (f *fakeLog) want(from, to int64) []Record {
	var want []Record
	for _, part := range f.parts {
		for _, r := range part.want {
			if r.Offset >= max(from, f.start) && r.Offset < min(to, f.stable) {
				want = append(want, r)
			}
		}
	}
	return want
}

// readAll reads a range and copies what it gets.
func readAll(t *testing.T, r *Reader, from, to int64) ([]Record, int64) {
	t.Helper()
	var got []Record
	next, err := r.Read(t.Context(), "London", 3, from, to, func(records []Record) bool {
		for _, record := range records {
			record.Value = slices.Clone(record.Value)
			got = append(got, record)
		}
		return true
	})
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	return got, next
}

func checkRecords(t *testing.T, got, want []Record) {
	t.Helper()
	if !slices.EqualFunc(got, want, func(a, b Record) bool {
		return a.Offset == b.Offset && a.Millis == b.Millis && bytes.Equal(a.Value, b.Value)
	}) {
		t.Errorf("got %d records %v, want %d %v", len(got), got, len(want), want)
	}
}

// randomLog makes a log of plain batches, batches in transactions that end
// either way, gaps, and batches that compaction has thinned out or emptied.
func randomLog(rng *rand.Rand) *fakeLog {
	var parts []logPart
	var aborts []*sarama.AbortedTransaction
	next := int64(0)
	type tx struct{ aborted bool }
	open := map[int64]tx{}
	for range 1 + rng.IntN(25) {
		producer := rng.Int64N(3)
		state, isOpen := open[producer]
		switch choice := rng.IntN(6); {
		case choice == 0 && isOpen:
			kind := uint16(commitMarker)
			if state.aborted {
				kind = abortMarker
			}
			parts = append(parts, marker(next, producer, kind))
			delete(open, producer)
			next++
			continue
		case choice <= 2 && !isOpen:
			open[producer] = tx{aborted: rng.IntN(2) == 0}
			state, isOpen = open[producer], true
			if state.aborted {
				aborts = append(aborts, &sarama.AbortedTransaction{ProducerID: producer, FirstOffset: next})
			}
		case choice == 3:
			next += rng.Int64N(4)
			isOpen = false
		}
		last := next + rng.Int64N(6)
		var offsets []int64
		for o := next; o <= last; o++ {
			if rng.IntN(4) > 0 {
				offsets = append(offsets, o)
			}
		}
		part := dataBatch(next, last, offsets...)
		if isOpen {
			part = inTransaction(part, producer, state.aborted)
		}
		parts = append(parts, part)
		next = last + 1
	}
	for producer, state := range open { // the end of the log is stable
		kind := uint16(commitMarker)
		if state.aborted {
			kind = abortMarker
		}
		parts = append(parts, marker(next, producer, kind))
		next++
	}
	log := logOf(parts...)
	log.aborted, log.perAsk = aborts, 1+rng.IntN(5)
	rng.Shuffle(len(aborts), func(i, j int) { aborts[i], aborts[j] = aborts[j], aborts[i] })
	return log
}
