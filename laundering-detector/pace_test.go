package main

import (
	"context"
	"testing"
	"time"

	"fintrans/internal/transaction"
)

func TestKeepPace(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		prepare func(*fixture)
		want    string
	}{
		{"close together", func(f *fixture) { f.send("NYC", "1 2 0", minutes(17)) }, ""},
		{"one far ahead", func(f *fixture) { f.send("NYC", "1 2 0", minutes(60)) }, "NYC"},
		{"the others have caught up", func(f *fixture) {
			f.send("NYC", "1 2 0", minutes(60))
			f.all(minutes(59))
		}, ""},
		{"the others stand still", func(f *fixture) {
			for i, c := range f.claims {
				if transaction.Cities()[i] != "NYC" {
					c.silent = time.Minute
				}
			}
			f.send("NYC", "1 2 0", minutes(60))
		}, ""},
		{"the others are at their ends", func(f *fixture) {
			f.othersEnd("NYC")
			f.send("NYC", "1 2 0", minutes(60))
		}, ""},
		{"the others stop while it is paused", func(f *fixture) {
			f.send("NYC", "1 2 0", minutes(60))
			for _, c := range f.claims {
				c.silent = time.Minute
			}
			f.shard.reconsider(context.Background(), func() {})
		}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil)
			f.all(minutes(0))
			tt.prepare(f)
			if got := f.pauses.String(); got != tt.want {
				t.Errorf("paused %q, want %q", got, tt.want)
			}
		})
	}
}

func TestKeepPaceLeavesAWindowWithoutEndAlone(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(cfg *config) { cfg.AlertWindow = 0 })
	f.all(minutes(0))
	f.send("NYC", "1 2 0", minutes(100_000))
	if len(f.pauses) != 0 {
		t.Errorf("paused %v", f.pauses)
	}
}
