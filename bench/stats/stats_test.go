package stats_test

import (
	"slices"
	"testing"
	"time"

	"fintrans/bench/stats"
)

func TestSpread(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		values []float64
		want   stats.Spread[float64]
	}{
		{nil, stats.Spread[float64]{}},
		{[]float64{3}, stats.Spread[float64]{Min: 3, Median: 3, Max: 3}},
		{[]float64{5, 1}, stats.Spread[float64]{Min: 1, Median: 3, Max: 5}},
		{[]float64{9, 2, 4}, stats.Spread[float64]{Min: 2, Median: 4, Max: 9}},
		{[]float64{9, 2, 4, 6}, stats.Spread[float64]{Min: 2, Median: 5, Max: 9}},
	} {
		values := slices.Clone(test.values)
		if got := stats.Of(test.values); got != test.want {
			t.Errorf("spread of %v = %v, want %v", test.values, got, test.want)
		}
		if !slices.Equal(values, test.values) {
			t.Errorf("%v has become %v", values, test.values)
		}
	}
}

func TestPercentile(t *testing.T) {
	t.Parallel()
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(100 - i)
	}
	for _, test := range []struct {
		values []time.Duration
		p      float64
		want   time.Duration
	}{
		{nil, 99, 0},
		{[]time.Duration{7}, 99, 7},
		{[]time.Duration{7}, 0, 7},
		{hundred, 50, 50},
		{hundred, 99, 99},
		{hundred, 99.5, 100},
		{hundred, 100, 100},
		{hundred, 0, 1},
	} {
		if got := stats.Percentile(test.values, test.p); got != test.want {
			t.Errorf("percentile %v of %d values = %v, want %v", test.p, len(test.values), got, test.want)
		}
	}
}

func TestRatios(t *testing.T) {
	t.Parallel()
	got := stats.Ratios([]float64{2, 9, 3, 8}, []float64{4, 3, 0})
	if want := []float64{0.5, 3}; !slices.Equal(got, want) {
		t.Errorf("ratios = %v, want %v: round by round, without what has no peer", got, want)
	}
}
