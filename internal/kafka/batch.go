package kafka

import "encoding/binary"

// Batch is what one fetch brought of a partition: at least one committed data record, in the order of the log. It is
// read once, some records at a time, by one goroutine.
//
// It holds them packed: a large batch of a producer has tens of thousands, each of which takes three times as much
// memory as a Record, and an instance may hold one of each of 30 partitions.
type Batch struct {
	packed []byte   // the records: how far offset and time are from those before, length of the value, and the value
	end    position // of the last one
	count  int
	unread []byte   // of packed
	at     position // of the last one that was read
	left   int
	feed   *Feed // that it is to be given back to; nil where it was not fetched
}

// packedHead is what a record takes in a Batch beside its value, unless that is long or much was left out before it.
const packedHead = 4

// position is where a record is, in the log and in time.
type position struct{ offset, millis int64 }

// NewBatch makes a batch of records that were not fetched.
func NewBatch(records ...Record) *Batch {
	b := &Batch{}
	for _, record := range records {
		b.add(record)
	}
	b.rewind()
	return b
}

// Left returns how many records are still to be read.
func (b *Batch) Left() int { return b.left }

// Next reads records into those that are given, as many as there is room for, and returns what it has read. The values
// are the reader's until Release.
func (b *Batch) Next(into []Record) []Record {
	into = into[:min(len(into), b.left)]
	unread, at := b.unread, b.at
	for i := range into {
		var further, later, length int64
		further, unread = number(unread)
		later, unread = number(unread)
		length, unread = number(unread)
		at.offset += further
		at.millis += later
		into[i] = Record{Offset: at.offset, Millis: at.millis}
		if length >= 0 {
			into[i].Value, unread = unread[:length:length], unread[length:]
		}
	}
	b.unread, b.at = unread, at
	b.left -= len(into)
	return into
}

func number(from []byte) (n int64, rest []byte) {
	n, size := binary.Varint(from)
	return n, from[size:]
}

// Release gives the batch back, to be filled again. A reader calls it once, when it is done with the batch; while it
// has all of a feed's batches, the partition is not fetched. A batch that was not fetched needs no Release.
func (b *Batch) Release() {
	if b.feed != nil {
		b.feed.fetcher.release(b)
	}
}

// reset empties the batch and keeps its memory.
func (b *Batch) reset() { *b = Batch{packed: b.packed[:0], feed: b.feed} }

// add appends a copy of the record.
func (b *Batch) add(r Record) {
	length := int64(len(r.Value))
	if r.Value == nil {
		length = -1 // a tombstone is not an empty value
	}
	b.packed = binary.AppendVarint(b.packed, r.Offset-b.end.offset)
	b.packed = binary.AppendVarint(b.packed, r.Millis-b.end.millis)
	b.packed = binary.AppendVarint(b.packed, length)
	b.packed = append(b.packed, r.Value...)
	b.end = position{r.Offset, r.Millis}
	b.count++
}

// rewind makes what was added be read from its beginning.
func (b *Batch) rewind() { b.unread, b.at, b.left = b.packed, position{}, b.count }
