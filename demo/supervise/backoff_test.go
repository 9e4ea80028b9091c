package supervise

import (
	"slices"
	"testing"
	"time"
)

func TestBackoff(t *testing.T) {
	t.Parallel()
	var b backoff
	var got []time.Duration
	for _, life := range []time.Duration{time.Millisecond, 9 * time.Second, 0, 10 * time.Second, 0} {
		got = append(got, b.after(life))
	}
	want := []time.Duration{time.Second, 1150 * time.Millisecond, 1322500 * time.Microsecond, time.Second, 1150 * time.Millisecond}
	if !slices.Equal(got, want) {
		t.Errorf("pauses %v, want %v", got, want)
	}
	for range 100 {
		b.after(0)
	}
	if got := b.after(0); got != longestPause {
		t.Errorf("the longest pause is %v, want %v", got, longestPause)
	}
}
