// Package stats sums up what several rounds of a measurement gave.
package stats

import (
	"cmp"
	"math"
	"slices"
)

// Number is what can be summed up.
type Number interface {
	~int64 | ~float64
}

// Spread is the smallest, the middle and the largest of some values.
type Spread[T Number] struct {
	Min, Median, Max T
}

// Of returns the spread of the values; that of none is zero. The median of an even number of values is the mean of
// the two in the middle.
func Of[T Number](values []T) Spread[T] {
	if len(values) == 0 {
		return Spread[T]{}
	}
	sorted := slices.Sorted(slices.Values(values))
	return Spread[T]{Min: sorted[0], Median: median(sorted), Max: sorted[len(sorted)-1]}
}

func median[T Number](sorted []T) T {
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return sorted[middle-1] + (sorted[middle]-sorted[middle-1])/2
}

// Percentile returns the smallest of the values that at least p percent of them do not exceed (the nearest rank),
// and zero where there are none. p is from 0 to 100.
func Percentile[T cmp.Ordered](values []T, p float64) T {
	var none T
	if len(values) == 0 {
		return none
	}
	sorted := slices.Sorted(slices.Values(values))
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// Ratios divides the values of each round: ours by the peer's. Rounds that only one of them has, and those in which
// the peer has nothing, are left out.
func Ratios(ours, peer []float64) []float64 {
	var ratios []float64
	for i := range min(len(ours), len(peer)) {
		if peer[i] != 0 {
			ratios = append(ratios, ours[i]/peer[i])
		}
	}
	return ratios
}
