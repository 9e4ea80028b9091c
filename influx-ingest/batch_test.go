package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestBatchJoin(t *testing.T) {
	t.Parallel()
	b := &batch{}
	b.join(&batch{}) // nothing
	if b.records != 0 {
		t.Fatalf("got %d records of nothing", b.records)
	}
	bad := &batch{}
	bad.record(9, -1)
	b.join(bad)
	if b.points() != 0 || b.records != 1 || b.next != 10 || b.millis != -1 {
		t.Errorf("bad records alone: got %+v", b)
	}
	b.join(filled(10, 3))
	b.join(bad0(13))
	older := filled(14, 1)
	older.oldest = 5
	b.join(older)
	if b.points() != 4 || b.records != 6 || b.next != 15 || b.millis != 1014 || b.oldest != 5 {
		t.Errorf("got %+v", b)
	}
	if got := strings.Count(string(b.lines), "\n"); got != 4 {
		t.Errorf("got %d lines, want 4", got)
	}
	b.reset()
	if b.points() != 0 || b.records != 0 || len(b.lines) != 0 {
		t.Errorf("after reset: %+v", b)
	}
}

func bad0(offset int64) *batch {
	b := &batch{}
	b.record(offset, 0)
	return b
}

func TestPartsNameTheirRecords(t *testing.T) {
	t.Parallel()
	load := &payload{}
	load.add(newFeed(nil, "London/0", 0), filled(100, 3))
	load.add(newFeed(nil, "NYC/1", 1), bad0(7))
	load.add(newFeed(nil, "SF/2", 2), filled(5, 4))
	var offsets []int64
	var names []string
	var walk func(p part)
	walk = func(p part) {
		if got := strings.Count(string(bytes.Join(p.lines, nil)), "\n"); got != p.points {
			t.Fatalf("part from %d: %d lines of %d points", p.first, got, p.points)
		}
		if p.points == 1 {
			f, _, offset := p.origin()
			offsets, names = append(offsets, offset), append(names, f.name)
			return
		}
		left, right := p.halves()
		walk(left)
		walk(right)
	}
	walk(load.whole())
	want := []int64{100, 101, 102, 5, 6, 7, 8}
	for i := range want {
		if offsets[i] != want[i] {
			t.Fatalf("got offsets %v, want %v", offsets, want)
		}
	}
	if names[2] != "London/0" || names[3] != "SF/2" {
		t.Errorf("got %v", names)
	}
	if got, want := load.String(), "London/0 100-102, SF/2 5-8"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
