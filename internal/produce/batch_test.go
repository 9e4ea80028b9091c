package produce

import (
	"bytes"
	"testing"
	"testing/synctest"

	"github.com/IBM/sarama"
)

// Records that come while a request is under way wait for it, and go together.
func TestBatchesGrowWhileOneIsUnderWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, p := one(t)
		defer finish(p)
		for n := range 20 {
			send(t, p, n)
			synctest.Wait()
		}
		if _, keys := settled(t, p); len(keys) != 1 {
			t.Errorf("got %v first, want the first record", keys)
		}
		if _, keys := settled(t, p); len(keys) != 19 {
			t.Errorf("got %v then, want all the others", keys)
		}
		if len(m.attempts) != 2 {
			t.Errorf("got %d requests, want 2", len(m.attempts))
		}
	})
}

func TestRoomIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newModel(t, map[string]int32{"SF": 1})
		p := m.open(10)
		defer finish(p)
		for n := range 10 {
			send(t, p, n)
		}
		if p.Append(0, record(10)) {
			t.Error("there was room for 11 records of 10")
		}
		b := <-p.Settled()
		if p.Append(0, record(10)) {
			t.Error("there was room before it was released")
		}
		p.Release(b)
		if !p.Append(0, record(10)) {
			t.Error("there was no room after it was released")
		}
	})
}

// What is free keeps its own buffers and nothing else: many are free after a peak.
func TestAFreeBatchKeepsNothingOfOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, p := one(t)
		defer finish(p)
		r := record(1)
		r.Headers = []*sarama.RecordHeader{{Key: []byte("ring"), Value: []byte("1")}}
		p.Append(0, r)
		p.Flush()
		b := <-p.Settled()
		if b.records.Records == nil || b.headers[0].all == nil {
			t.Fatalf("got batch %+v", b)
		}
		p.Release(b)
		if b.records.Records != nil || b.headers[0].all != nil || cap(b.bytes) == 0 {
			t.Errorf("got free batch %+v", b)
		}
	})
}

// A batch stays below what brokers take, and what is full goes without a flush.
func TestABatchIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newModel(t, map[string]int32{"SF": 1})
		p := m.open(1 << 30)
		defer finish(p)
		r := record(1)
		r.Value = bytes.Repeat([]byte{'x'}, 1000)
		r.Headers = []*sarama.RecordHeader{{Key: []byte("ring"), Value: bytes.Repeat([]byte{'1'}, 1000)}}
		n := 0
		for p.Append(0, r) {
			n++
		}
		if n != maxBatchBytes/r.size() {
			t.Errorf("got %d records in a batch, want %d", n, maxBatchBytes/r.size())
		}
		if b, keys := settled(t, p); len(keys) != n || len(b.headers) != n {
			t.Errorf("got %d records settled, want %d with a header", len(keys), n)
		}
		if !p.Append(0, r) {
			t.Error("no room afterwards")
		}
		huge := record(2)
		huge.Value = make([]byte, 2*maxBatchBytes)
		if p.Append(0, huge) {
			t.Error("a huge record went together with another")
		}
		settled(t, p)
		if !p.Append(0, huge) {
			t.Error("a huge record cannot go alone")
		}
	})
}

func TestAppendDoesNotAllocate(t *testing.T) { // alone: AllocsPerRun counts the whole process
	m := newModel(t, map[string]int32{"SF": 1})
	part := &partition{topic: &topic{name: "SF"}}
	p := &Producer{cluster: m, limit: 1 << 30, topics: []*topic{{name: "SF", count: 1, partitions: []*partition{part}}}}
	r := record(1)
	fill := func() {
		for range 1000 {
			p.Append(0, r)
		}
		b := part.open
		part.open = nil
		p.Release(b)
	}
	fill()
	if n := testing.AllocsPerRun(10, fill); n != 0 {
		t.Errorf("%v allocations for 1000 records", n)
	}
}

func BenchmarkAppend(b *testing.B) {
	part := &partition{topic: &topic{name: "SF"}}
	p := &Producer{limit: 1 << 30, topics: []*topic{{name: "SF", count: 1, partitions: []*partition{part}}}}
	r := record(1)
	b.ReportAllocs()
	for b.Loop() {
		p.Append(0, r)
		if part.open.Len() == 500 {
			full := part.open
			part.open = nil
			p.Release(full)
		}
	}
}
