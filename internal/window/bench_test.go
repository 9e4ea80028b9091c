package window_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"fintrans/internal/window"
)

// BenchmarkObserve judges transactions of random pairs in a full window, ten held to a pair or, of few
// pairs, 400, with a Forget after every thousand. Late ones are up to an eighth of the window old.
func BenchmarkObserve(b *testing.B) {
	for _, pairs := range []int{1_000, 10_000, 1_000_000} {
		for _, late := range []bool{false, true} {
			name := fmt.Sprintf("pairs=%d/late=%v", pairs, late)
			b.Run(name, func(b *testing.B) { benchmarkObserve(b, pairs, late) })
		}
	}
}

// A window that is full takes the memory of what comes from what leaves.
func TestObserveDoesNotAllocate(t *testing.T) { // alone: AllocsPerRun counts the whole process
	for _, late := range []bool{false, true} {
		observe := fullWindow(1000, 10, 10_000, late)
		if got := testing.AllocsPerRun(10_000, observe); got != 0 {
			t.Errorf("late %v: got %v allocations a transaction, want none", late, got)
		}
	}
}

func benchmarkObserve(b *testing.B, pairs int, late bool) {
	each, threshold := 10, uint64(10_000)
	if pairs == 1000 {
		each, threshold = 400, 400_000 // no pair is above it
	}
	observe := fullWindow(pairs, each, threshold, late)
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		observe()
	}
}

// fullWindow returns what judges one more transaction in a window that holds so many to a pair.
func fullWindow(pairs, each int, threshold uint64, late bool) (observe func()) {
	length := int64(each * pairs)
	w := window.New(window.Config{Threshold: threshold, Length: length})
	rng := rand.New(rand.NewPCG(6, 6))
	now := length
	observe = func() {
		now++
		at := now
		if late {
			at -= rng.Int64N(length / 8)
		}
		w.Observe(rng.Uint64N(uint64(pairs)), rng.Uint32N(1000), at, 0)
		if now%1000 == 0 {
			w.Forget(now - length - length/8)
		}
	}
	for range 2 * length {
		observe()
	}
	return observe
}

// BenchmarkObserveHotPair has all of 100,000 transactions in one pair, which is over the threshold.
func BenchmarkObserveHotPair(b *testing.B) {
	const length = 100_000
	for _, every := range []bool{false, true} {
		b.Run(fmt.Sprintf("every=%v", every), func(b *testing.B) {
			w := window.New(window.Config{Threshold: 1000, Length: length, Every: every})
			now := int64(0)
			observe := func() {
				now++
				w.Observe(7, 1, now, uint8(now%5))
				if now%100 == 0 {
					w.Forget(now - length - 1)
				}
			}
			for range 2 * length {
				observe()
			}
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				observe()
			}
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	w := window.New(window.Config{Threshold: 10_000, Length: 1 << 40})
	rng := rand.New(rand.NewPCG(7, 7))
	b.ReportAllocs()
	for b.Loop() {
		w.Load(rng.Uint64N(100_000), 100, rng.Int64N(3_600_000), 0)
	}
}
