package main

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
)

const (
	// A claim stops reading when so many points wait in its batch. A line is at
	// most about 130 bytes, so points bound the memory.
	maxBatchPoints = 1000
	// One POST carries the batches of several claims, up to this many points.
	maxPostPoints = 10_000
)

// batch is a run of consecutive records of one claim: the lines of its points,
// and how far it reaches, bad and expired records included.
type batch struct {
	lines   []byte
	offsets []int64 // of the points, in the order of the lines
	records int     // all of them
	next    int64   // first offset behind the batch
	millis  int64   // time of the last record, negative where it has none
	oldest  int64   // time of the oldest point, in ms since 1970
	refused int     // points that InfluxDB refused for good
}

// point appends a point; its line is already in lines.
func (b *batch) point(offset, millis int64) {
	if len(b.offsets) == 0 || millis < b.oldest {
		b.oldest = millis
	}
	b.offsets = append(b.offsets, offset)
}

// record counts a record of whatever kind as part of the batch.
func (b *batch) record(offset, millis int64) {
	b.records++
	b.next, b.millis = offset+1, millis
}

// join appends what follows the batch.
func (b *batch) join(next *batch) {
	if next.records == 0 {
		return
	}
	switch {
	case len(next.offsets) == 0:
	case len(b.offsets) == 0:
		b.oldest = next.oldest
	default:
		b.oldest = min(b.oldest, next.oldest)
	}
	b.lines = append(b.lines, next.lines...)
	b.offsets = append(b.offsets, next.offsets...)
	b.records += next.records
	b.next, b.millis = next.next, next.millis
}

// reset empties the batch and keeps its memory.
func (b *batch) reset() {
	*b = batch{lines: b.lines[:0], offsets: b.offsets[:0]}
}

func (b *batch) points() int { return len(b.offsets) }

// payload is what a writer takes at once: batches of several claims.
type payload struct {
	feeds   []*feed
	batches []*batch // one of each feed
	points  int
}

func (l *payload) add(f *feed, b *batch) {
	l.feeds = append(l.feeds, f)
	l.batches = append(l.batches, b)
	l.points += b.points()
}

// records are all of them, bad and expired ones included.
func (l *payload) records() int {
	n := 0
	for _, b := range l.batches {
		n += b.records
	}
	return n
}

// whole is the part that is all of the payload.
func (l *payload) whole() part {
	p := part{load: l, points: l.points}
	for _, b := range l.batches {
		p.lines = append(p.lines, b.lines)
	}
	return p
}

// String names the claims and offsets whose points the payload has.
func (l *payload) String() string {
	const shown = 5
	var names []string
	for i, b := range l.batches {
		if b.points() == 0 {
			continue
		}
		if len(names) == shown {
			names = append(names, "...")
			break
		}
		names = append(names, fmt.Sprintf("%s %d-%d", l.feeds[i], b.offsets[0], b.offsets[b.points()-1]))
	}
	return strings.Join(names, ", ")
}

// part is a range of a payload's points.
type part struct {
	load   *payload
	lines  [][]byte // of these points: where the batches have them, not a copy
	first  int      // index within the payload
	points int      // how many
}

// halves splits a part of at least two points.
func (p part) halves() (part, part) {
	half := p.points / 2
	left := part{load: p.load, first: p.first, points: half}
	right := part{load: p.load, first: p.first + half, points: p.points - half}
	left.lines, right.lines = cut(p.lines, half)
	return left, right
}

// cut divides text that comes in pieces, each of them whole lines, behind so many lines.
func cut(pieces [][]byte, lines int) (before, behind [][]byte) {
	for i, piece := range pieces {
		if n := bytes.Count(piece, []byte("\n")); n <= lines {
			lines -= n
			continue
		}
		end := 0
		for range lines {
			end += bytes.IndexByte(piece[end:], '\n') + 1
		}
		before = append(slices.Clone(pieces[:i]), piece[:end])
		behind = append([][]byte{piece[end:]}, pieces[i+1:]...)
		return before, behind
	}
	return pieces, nil
}

// origin is the record that the part's first point was made from.
func (p part) origin() (f *feed, b *batch, offset int64) {
	i := p.first
	for n, b := range p.load.batches {
		if i < b.points() {
			return p.load.feeds[n], b, b.offsets[i]
		}
		i -= b.points()
	}
	return nil, nil, math.MinInt64 // a part is never beyond its payload
}
