package produce

import (
	"math"
	"time"

	"fintrans/internal/backoff"
)

// retry are the pauses before a partition's leader is asked for again.
var retry = backoff.Bounds{First: 50 * time.Millisecond, Max: 2 * time.Second}

// partition is one partition's batches. The open one is filled by Append, under
// the Producer's lock; all else belongs to the sender of its leader, or to the
// router while it has none. So there is never more than one batch under way, and
// that one is tried until its fate is known.
type partition struct {
	topic  *topic
	number int32

	open    *Batch
	due     bool // the open batch is to be sent
	touched bool // it is in Producer.touched

	sender  *sender // nil: the router has it
	sent    *Batch  // under way, or to be sent again
	id      identity
	next    int32 // sequence number of the next batch
	attempt int   // since the last batch that was acknowledged
	retryAt time.Time

	goneSince time.Time // when the router first saw that the topic does not have it any more; zero: it has it
}

// flush makes the open batch due.
func (part *partition) flush() {
	if part.open == nil {
		return
	}
	part.due = true
	if part.sender != nil {
		signal(part.sender.wake)
	}
}

// take returns the batch that is to be sent now, nil if there is none. Its
// number is that of every attempt, unless the partition forgets it.
func (part *partition) take() *Batch {
	if part.sent == nil && part.due {
		part.sent, part.open, part.due = part.open, nil, false
	}
	if part.sent != nil {
		part.sent.number(part.id, part.next)
	}
	return part.sent
}

// acknowledged moves on to the next batch.
func (part *partition) acknowledged() *Batch {
	b := part.sent
	part.sent, part.attempt = nil, 0
	part.next = following(part.next, b.Len())
	return b
}

// givenUp leaves the batch's sequence number behind, as nobody knows whether it
// is taken. A fresh producer id starts anew.
func (part *partition) givenUp(why error) *Batch {
	b := part.sent
	b.Err = why
	part.sent = nil
	part.forget()
	return b
}

// forget makes the router give the partition a fresh producer id.
func (part *partition) forget() { part.id = nobody }

// following is the sequence number after a batch of n records that begins at
// first. After the largest one comes 0.
func following(first int32, n int) int32 {
	return int32((int64(first) + int64(n)) & math.MaxInt32)
}
