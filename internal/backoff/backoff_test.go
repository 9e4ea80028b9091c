package backoff

import (
	"fmt"
	"math"
	"testing"
	"time"
)

func TestPause(t *testing.T) {
	t.Parallel()
	quick := Bounds{First: 50 * time.Millisecond, Max: 2 * time.Second}
	slow := Bounds{First: 250 * time.Millisecond, Max: 5 * time.Second}
	tests := []struct {
		bounds   Bounds
		failures int
		longest  time.Duration
	}{
		{quick, 0, 50 * time.Millisecond},
		{quick, 1, 50 * time.Millisecond},
		{quick, 2, 100 * time.Millisecond},
		{quick, 6, 1600 * time.Millisecond},
		{quick, 7, 2 * time.Second},
		{slow, 5, 4 * time.Second},
		{slow, 6, 5 * time.Second},
		{slow, 63, 5 * time.Second},
		{slow, math.MaxInt, 5 * time.Second},
		{Bounds{First: time.Second, Max: time.Second}, 3, time.Second},
		{Bounds{First: time.Minute, Max: time.Second}, 1, time.Second},
		{Bounds{First: 1, Max: math.MaxInt64}, 63, 1 << 62},
		{Bounds{First: 3, Max: math.MaxInt64}, 63, math.MaxInt64},
		{Bounds{First: 1, Max: 1}, 1, 1},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%v to %v, %d", tt.bounds.First, tt.bounds.Max, tt.failures), func(t *testing.T) {
			t.Parallel()
			for range 1000 {
				if got := tt.bounds.Pause(tt.failures); got < tt.longest/2 || got > tt.longest {
					t.Fatalf("got %v, want between %v and %v", got, tt.longest/2, tt.longest)
				}
			}
		})
	}
}

// Many that wait for the same thing are not to come back all at once: the pauses fill the upper half of what is allowed.
func TestPausesAreSpread(t *testing.T) {
	t.Parallel()
	bounds := Bounds{First: time.Second, Max: time.Second}
	const tenths = 10
	var seen [tenths]int
	for range 10_000 {
		pause := bounds.Pause(1) - bounds.First/2
		seen[min(tenths-1, int(tenths*pause/(bounds.First/2)))]++
	}
	for i, n := range seen {
		if n < 500 || n > 1500 { // 1000 are expected, with a standard deviation of 30
			t.Errorf("tenth %d of the upper half has %d of 10,000 pauses: %v", i+1, n, seen)
		}
	}
}
