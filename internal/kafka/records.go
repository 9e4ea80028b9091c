package kafka

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/IBM/sarama"
)

// Record is one committed data record of a partition.
type Record struct {
	Offset int64
	Millis int64 // time in milliseconds since 1970; negative: the record has none
	Value  []byte
}

// errDamaged means that a batch is complete but does not hold what it says.
var errDamaged = errors.New("a batch of records is damaged")

// collector picks the committed data records in [next, to) out of fetched batches.
type collector struct {
	next, to int64
	into     *Batch
	aborted  []*sarama.AbortedTransaction // not begun yet, in the order of first offset
	open     map[int64]bool               // producers inside a transaction that was aborted
}

// collect copies the records of a block, in order, into the batch, in place of
// what that holds, and moves c.next behind everything that the block speaks of,
// be it records, markers of transactions, aborted records or what compaction has
// left out. After an error the batch has what comes before that.
func (c *collector) collect(block *sarama.FetchResponseBlock, into *Batch) error {
	into.reset()
	defer into.rewind()
	c.into = into
	c.aborted = append(c.aborted[:0], block.AbortedTransactions...)
	slices.SortFunc(c.aborted, func(a, b *sarama.AbortedTransaction) int {
		return cmp.Compare(a.FirstOffset, b.FirstOffset)
	})
	clear(c.open)
	for _, set := range block.RecordsSet {
		switch {
		case set.RecordBatch != nil:
			if err := c.batch(set.RecordBatch); err != nil {
				return err
			}
		case set.MsgSet != nil:
			c.messages(set.MsgSet)
		}
	}
	return nil
}

func (c *collector) batch(batch *sarama.RecordBatch) error {
	if batch.PartialTrailingRecord {
		return nil
	}
	for len(c.aborted) > 0 && c.aborted[0].FirstOffset <= batch.LastOffset() {
		c.open[c.aborted[0].ProducerID] = true
		c.aborted = c.aborted[1:]
	}
	switch {
	case batch.Control:
		abort, err := endsAborted(batch)
		if err != nil {
			return err
		}
		if abort {
			delete(c.open, batch.ProducerID)
		}
	case batch.IsTransactional && c.open[batch.ProducerID]:
		// The transaction was aborted: as if never written.
	default:
		c.data(batch)
	}
	c.next = max(c.next, batch.LastOffset()+1)
	return nil
}

func (c *collector) data(batch *sarama.RecordBatch) {
	c.grow(batch.Records)
	first := batch.FirstTimestamp.UnixMilli()
	for _, r := range batch.Records {
		millis := first + int64(r.TimestampDelta/time.Millisecond)
		if batch.LogAppendTime {
			millis = batch.MaxTimestamp.UnixMilli()
		}
		c.add(batch.FirstOffset+r.OffsetDelta, millis, r.Value)
	}
}

// grow makes room in the batch once for all of the records.
func (c *collector) grow(records []*sarama.Record) {
	size := 0
	for _, r := range records {
		size += packedHead + len(r.Value)
	}
	c.into.packed = slices.Grow(c.into.packed, size)
}

// endsAborted tells whether a control batch is the marker that ends an aborted
// transaction. Its record's key is a version and a type, 16 bits each; type 0 is abort.
func endsAborted(batch *sarama.RecordBatch) (bool, error) {
	if len(batch.Records) == 0 || len(batch.Records[0].Key) < 4 {
		return false, fmt.Errorf("control record at offset %d: %w", batch.FirstOffset, errDamaged)
	}
	return binary.BigEndian.Uint16(batch.Records[0].Key[2:]) == 0, nil
}

// messages reads the formats from before Kafka 0.11. A compressed message wraps
// others; since version 1 those count their offsets from 0, and the wrapper has
// the offset of the last.
func (c *collector) messages(set *sarama.MessageSet) {
	for _, block := range set.Messages {
		inner := block.Messages()
		if len(inner) == 0 {
			c.next = max(c.next, block.Offset+1)
			continue
		}
		base := block.Offset - inner[len(inner)-1].Offset
		for _, m := range inner {
			offset, at := m.Offset, m.Msg.Timestamp
			if m.Msg.Version >= 1 {
				offset += base
				if block.Msg.LogAppendTime {
					at = block.Msg.Timestamp
				}
			}
			c.add(offset, at.UnixMilli(), m.Msg.Value)
			c.next = max(c.next, offset+1)
		}
	}
}

// add takes one record unless it is outside of what was asked for: a broker
// sends whole batches. sarama gives a record without a time the zero time.Time,
// which is long before 1970 and so negative, as Record wants it.
func (c *collector) add(offset, millis int64, value []byte) {
	if offset >= c.next && offset < c.to {
		c.into.add(Record{Offset: offset, Millis: millis, Value: value})
	}
}
