package consume

import (
	"strconv"
	"sync/atomic"
	"time"
)

// progress is how far one claim has come. The claim's goroutine writes it, the
// tracker and the scrape read it.
type progress struct {
	claim     Claimed
	topic     string
	partition int32

	next     atomic.Int64 // the first offset that is not dealt with
	marked   atomic.Int64 // the first offset that a commit does not cover
	millis   atomic.Int64 // time of the last record dealt with
	movedAt  atomic.Int64 // when next last moved or work was reported, in unix ns
	goodAt   atomic.Int64 // when a good record was last dealt with, in unix ns
	end      atomic.Int64 // the log's end as the broker last told
	nothing  atomic.Int64 // below it there is no record to read: markers, aborted transactions
	askedAt  atomic.Int64 // when the broker was last asked for the end, in unix ns
	atEndAt  atomic.Int64 // when it was last confirmed that nothing was left to read, in unix ns
	hasMoved atomic.Bool  // something was marked

	ahead knownEnd // of the tracker's own goroutine
}

// knownEnd is the end of a log as the broker told it, which the claim has not reached yet.
type knownEnd struct {
	end   int64
	asked time.Time // zero: there is none
}

func newProgress(claim Claimed) *progress {
	p := &progress{claim: claim, topic: claim.Topic(), partition: claim.Partition()}
	p.next.Store(max(claim.InitialOffset(), 0))
	p.millis.Store(-1)
	p.movedAt.Store(time.Now().UnixNano())
	p.Good()
	return p
}

func (p *progress) passed(next, millis int64) {
	if millis >= 0 {
		p.millis.Store(millis)
	}
	p.next.Store(next)
	p.Working()
}

func (p *progress) mark(next int64) {
	p.marked.Store(next)
	p.hasMoved.Store(true)
}

// Working reports progress that moves no offset, as a rebuild does.
func (p *progress) Working() { p.movedAt.Store(time.Now().UnixNano()) }

// Good tells that a record that counts was dealt with: it is for those who ask AtEnd, before Passed.
func (p *progress) Good() { p.goodAt.Store(time.Now().UnixNano()) }

// Silent returns for how long the claim has not moved.
func (p *progress) Silent(now time.Time) time.Duration {
	return now.Sub(time.Unix(0, p.movedAt.Load()))
}

// idle reports that there was no good record for a while, however many bad ones, and that it is time to ask about that.
func (p *progress) idle(now time.Time) bool {
	return now.Sub(time.Unix(0, p.goodAt.Load())) > silence && now.Sub(time.Unix(0, p.askedAt.Load())) > askAgain
}

// AtEnd reports that the broker was asked some seconds after the claim's last good
// record, and not long ago, and that all it had by then is dealt with; and when it
// was asked. What came since is bad, so a log to which nothing but bad records is
// written is at its end as one that stands still is. That a claim has read all that
// it was told of would not do: what it was told is as old as its last fetch.
func (p *progress) AtEnd(now time.Time) (asked time.Time, ok bool) {
	at := p.atEndAt.Load()
	if at <= p.goodAt.Load() || now.UnixNano()-at >= int64(tooOld) {
		return time.Time{}, false
	}
	return time.Unix(0, at), true
}

// atEnd notes that all that the log held at that time is dealt with.
func (p *progress) atEnd(asked time.Time) {
	p.ahead = knownEnd{}
	p.atEndAt.Store(asked.UnixNano())
}

// await notes an end that is still to be reached. An earlier one that may yet count is not given up for it:
// a claim that is always a little behind would reach none.
func (p *progress) await(end int64, asked time.Time) {
	if asked.Sub(p.ahead.asked) >= tooOld {
		p.ahead = knownEnd{end: end, asked: asked}
	}
}

// look finds out whether the end that was awaited is reached.
func (p *progress) look() {
	if !p.ahead.asked.IsZero() && p.next.Load() >= p.ahead.end {
		p.atEnd(p.ahead.asked)
	}
}

// lag is the number of records that are there and not dealt with. Control
// records and aborted transactions behind the last record are none.
func (p *progress) lag() int64 {
	end := max(p.end.Load(), p.claim.HighWaterMarkOffset())
	return max(0, end-max(p.next.Load(), p.nothing.Load()))
}

func (p *progress) name() string { return p.topic + "/" + itoa(p.partition) }

func itoa(n int32) string { return strconv.FormatInt(int64(n), 10) }
