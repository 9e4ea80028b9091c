package kafka

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/IBM/sarama"

	"fintrans/internal/backoff"
)

// fetchRetry are the pauses after a fetch that has failed.
var fetchRetry = backoff.Bounds{First: 50 * time.Millisecond, Max: 2 * time.Second}

const (
	readerFirst    = 16 << 10 // asked for at first: often one record is all that is wanted
	readerBytes    = 1 << 20  // asked for after some progress
	readerGrowth   = 4        // from one to the other
	readerMaxBytes = 64 << 20 // a batch larger than this is not readable
	readerRecords  = 256      // handed over at a time
)

// ErrUnreadable is a batch of records that cannot be read however often one tries.
var ErrUnreadable = errors.New("a batch of records is damaged or larger than 64 MiB")

// Reader reads ranges of partitions exactly: every committed data record, no
// marker of a transaction and nothing of an aborted one. It asks the leader
// itself, because sarama's consumer says nothing when it passes over what is not
// data, so that a wait for the last offset of a range may be for ever.
//
// A Reader is safe for concurrent use. Its client should be its own: one
// connection is served in order, and requests that wait for records would hold
// up the heartbeats and commits of a consumer group.
type Reader struct {
	source source

	// Missing, where it is not nil, is called when the offsets in [from, to) were
	// asked for and the partition no longer holds them.
	Missing func(topic string, partition int32, from, to int64)
	// Retry, where it is not nil, is called before each pause after an error that may pass.
	Retry func(topic string, partition int32, err error)
	// Tick, where it is not nil, is called at least once a second during a Read
	// while it waits for a broker; not while visit runs.
	Tick func()
}

// source is where a Reader gets its blocks from: the brokers.
type source interface {
	// fetch returns what the partition holds from the offset on, up to about so many bytes.
	fetch(ctx context.Context, topic string, partition int32, offset int64, bytes int32, tick func()) (*sarama.FetchResponseBlock, error)
	// oldest returns the first offset that the partition still holds.
	oldest(ctx context.Context, topic string, partition int32, tick func()) (int64, error)
}

// NewReader returns a Reader over client, which stays the caller's to close.
func NewReader(client sarama.Client) *Reader { return &Reader{source: brokers{client}} }

// Read hands the records of the partition with offsets in [from, to) to visit,
// in order, some at a time. The slice and what it points to are valid only
// during the call. Reading ends at to, where the readable part of the partition
// ends (its last stable offset), or when visit returns false.
//
// next is the offset below which nothing is left to hand over, to at the most;
// after false, the one behind the last record that visit got. Errors that may
// pass are retried until ctx ends; then Read returns ctx's error at once. The
// only other error is ErrUnreadable.
func (r *Reader) Read(ctx context.Context, topic string, partition int32, from, to int64, visit func([]Record) (more bool)) (next int64, err error) {
	read := rangeReader{
		Reader: r, topic: topic, partition: partition, bytes: readerFirst,
		collector: collector{next: from, to: to, open: map[int64]bool{}},
	}
	failures := 0
	for read.next < to {
		start := read.next
		atEnd, err := read.step(ctx)
		switch {
		case ctx.Err() != nil:
			return start, ctx.Err()
		case errors.Is(err, ErrUnreadable):
			return start, fmt.Errorf("read %s/%d at offset %d: %w", topic, partition, start, err)
		case err != nil:
			if r.Retry != nil {
				r.Retry(topic, partition, err)
			}
			failures++
			if err := pause(ctx, fetchRetry.Pause(failures), r.tick); err != nil {
				return start, err
			}
			continue
		}
		failures = 0
		for read.answer.Left() > 0 {
			if records := read.answer.Next(read.records[:]); !visit(records) {
				return records[len(records)-1].Offset + 1, nil
			}
		}
		if atEnd {
			break
		}
	}
	return min(read.next, to), nil
}

func (r *Reader) tick() {
	if r.Tick != nil {
		r.Tick()
	}
}

// rangeReader is the state of one Read.
type rangeReader struct {
	*Reader
	collector
	topic     string
	partition int32
	bytes     int32                 // to ask for
	answer    Batch                 // to the last request
	records   [readerRecords]Record // scratch: those that are handed over
}

// step asks once. It fills answer, moves next, and tells whether the end of
// the readable part is reached.
func (r *rangeReader) step(ctx context.Context) (atEnd bool, err error) {
	r.answer.reset()
	block, err := r.source.fetch(ctx, r.topic, r.partition, r.next, r.bytes, r.tick)
	switch {
	case errors.Is(err, sarama.ErrOffsetOutOfRange):
		return r.outOfRange(ctx)
	case err != nil:
		return false, err
	}
	start := r.next
	if err := r.collect(block, &r.answer); err != nil {
		return false, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	switch {
	case r.next > start:
		r.bytes = min(r.bytes*readerGrowth, readerBytes)
		return false, nil
	case partial(block):
		return false, r.askForMore()
	case start >= readableEnd(block):
		return true, nil
	}
	return false, r.passEmptied(block)
}

// askForMore makes room for a batch of which only the beginning has come.
// Since Kafka 0.10.1 brokers send the first batch whole whatever is asked for.
func (r *rangeReader) askForMore() error {
	if r.bytes >= readerMaxBytes {
		return ErrUnreadable
	}
	r.bytes *= 2
	return nil
}

// outOfRange finds out what became of the offset that the partition does not hold.
func (r *rangeReader) outOfRange(ctx context.Context) (atEnd bool, err error) {
	oldest, err := r.source.oldest(ctx, r.topic, r.partition, r.tick)
	switch {
	case err != nil:
		return false, err
	case oldest <= r.next:
		return true, nil // behind the end: the log was cut
	}
	start := r.next
	r.next = min(oldest, r.to)
	if r.Missing != nil {
		r.Missing(r.topic, r.partition, start, r.next)
	}
	return false, nil
}

// errNothing is an answer without records although there are some. A broker that fetches them from a remote store gives
// it when that takes too long.
var errNothing = errors.New("the broker has sent nothing, although there is more")

// passEmptied passes over batches that compaction has emptied: sarama leaves them out and tells only, in a field of its
// own, what follows. Without that word nothing is passed over: there are other reasons for an answer without records.
func (c *collector) passEmptied(block *sarama.FetchResponseBlock) error {
	next := reflect.ValueOf(block).Elem().FieldByName("recordsNextOffset")
	if len(block.RecordsSet) > 0 || next.IsNil() || next.Elem().Int() <= c.next {
		return errNothing
	}
	c.next = next.Elem().Int()
	return nil
}

// partial tells whether a block begins with a batch of which only a part has come.
func partial(block *sarama.FetchResponseBlock) bool {
	if block.Partial || len(block.RecordsSet) == 0 {
		return block.Partial
	}
	first := block.RecordsSet[0]
	return first.RecordBatch != nil && first.RecordBatch.PartialTrailingRecord ||
		first.MsgSet != nil && first.MsgSet.PartialTrailingMessage
}

// readableEnd is the offset up to which all transactions are decided, or the high
// watermark where the broker says nothing of transactions.
func readableEnd(block *sarama.FetchResponseBlock) int64 {
	if block.LastStableOffset < 0 {
		return block.HighWaterMarkOffset
	}
	return min(block.LastStableOffset, block.HighWaterMarkOffset)
}
