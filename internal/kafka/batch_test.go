package kafka

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/IBM/sarama"
)

// noTime is that of a record without one.
var noTime = time.Time{}.UnixMilli()

// rest reads what is left of a batch, a few records at a time.
func rest(b *Batch) []Record {
	var all []Record
	for b.Left() > 0 {
		all = append(all, b.Next(make([]Record, 3))...)
	}
	return all
}

// randomRecords are in the order of the log and of every kind: with what compaction has left out, times that go back and
// are none, values that are none, empty and long.
func randomRecords(rng *rand.Rand) []Record {
	records := make([]Record, rng.IntN(30))
	offset, millis := rng.Int64N(1<<40), int64(testTime)
	for i := range records {
		offset += 1 + rng.Int64N(1<<rng.IntN(40))
		millis += rng.Int64N(1<<rng.IntN(30)) - rng.Int64N(1<<rng.IntN(30))
		records[i] = Record{Offset: offset, Millis: millis}
		switch rng.IntN(8) {
		case 0: // a tombstone
		case 1:
			records[i].Value = []byte{}
		case 2:
			records[i].Millis = noTime
		default:
			records[i].Value = make([]byte, 1<<rng.IntN(12))
			records[i].Value[0] = byte(i)
		}
	}
	return records
}

// A batch gives what was put into it, however many records are read at a time, also when it had held others before.
func TestBatchesGiveWhatTheyWereGiven(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 4))
	var b Batch
	for range 1000 {
		want := randomRecords(rng)
		b.reset()
		for _, record := range want {
			b.add(record)
		}
		b.rewind()
		var got []Record
		for b.Left() > 0 {
			got = append(got, b.Next(make([]Record, 1+rng.IntN(40)))...)
			if b.Left() != len(want)-len(got) {
				t.Fatalf("%d are left after %d of %d", b.Left(), len(got), len(want))
			}
		}
		checkRecords(t, got, want)
		if !slices.EqualFunc(got, want, func(a, b Record) bool { return (a.Value == nil) == (b.Value == nil) }) {
			t.Error("an empty value is not one without a value")
		}
		if more := b.Next(make([]Record, 1)); len(more) != 0 {
			t.Errorf("got %v when nothing was left", more)
		}
		if t.Failed() {
			t.FailNow()
		}
	}
}

func TestBatchesOfTheOutermostNumbers(t *testing.T) {
	t.Parallel()
	want := []Record{
		{Offset: 0, Millis: math.MinInt64}, {Offset: 1, Millis: math.MaxInt64}, {Offset: math.MaxInt64, Millis: noTime, Value: []byte("a")},
	}
	checkRecords(t, rest(NewBatch(want...)), want)
}

// What a reader appends to a value does not run into the next record.
func TestValuesOfABatchEndWhereTheyEnd(t *testing.T) {
	t.Parallel()
	b := NewBatch(Record{Value: []byte("a")}, Record{Offset: 1, Value: []byte("b")})
	first := b.Next(make([]Record, 1))[0]
	_ = append(first.Value, "xxxx"...)
	checkRecords(t, rest(b), []Record{{Offset: 1, Value: []byte("b")}})
}

// A record that is as the generator's takes a third of a Record, and reading it takes no memory.
func TestBatchesAreSmall(t *testing.T) { // alone: AllocsPerRun counts the whole process
	const count = 20_000
	part := fullBatch(0, count-1)
	size := 0
	for _, r := range part.set.RecordBatch.Records {
		r.Value = []byte("396 465 6789")
		size += len(r.Value) + packedHead
	}
	c, b := collector{to: count, open: map[int64]bool{}}, &Batch{}
	if err := c.collect(&sarama.FetchResponseBlock{RecordsSet: []*sarama.Records{&part.set}}, b); err != nil || b.Left() != count {
		t.Fatalf("got %d records, %v", b.Left(), err)
	}
	if got, most := cap(b.packed), size+8<<10; got > most {
		t.Errorf("%d records take %d bytes, want at most %d", count, got, most)
	}
	into := make([]Record, 256)
	if got := testing.AllocsPerRun(10, func() {
		for b.rewind(); b.Left() > 0; {
			b.Next(into)
		}
	}); got != 0 {
		t.Errorf("got %v allocations to read the batch, want none", got)
	}
}

func BenchmarkBatch(b *testing.B) {
	batch, record := &Batch{}, Record{Value: []byte("396 465 6789")}
	into := make([]Record, 256)
	b.ReportAllocs()
	for n := int64(0); b.Loop(); n++ { // one iteration is one record, in and out
		record.Offset, record.Millis = n, testTime+n
		batch.add(record)
		if n%4096 == 4095 {
			for batch.rewind(); batch.Left() > 0; {
				batch.Next(into)
			}
			batch.reset()
		}
	}
}
