package window

import (
	"math/rand/v2"
	"testing"
)

// TestAgesCount compares what ages says with a count of all records, while times go forward, back and far ahead.
func TestAgesCount(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 0))
		var a ages
		var held []int64
		now := int64(1_700_000_000_000)
		for step := range 3000 {
			switch n := random.IntN(20); {
			case n < 12:
				at := now - random.Int64N(1+min(now, []int64{1, 1, 1, 5000, 1 << 40}[random.IntN(5)]))
				a.add(at)
				held = append(held, at)
			case n < 16 && len(held) > 0:
				i := random.IntN(len(held))
				a.remove(held[i])
				held[i] = held[len(held)-1]
				held = held[:len(held)-1]
			case n < 18:
				now += random.Int64N([]int64{2, 2, 100, 10_000}[random.IntN(4)])
			default:
				before := now - random.Int64N([]int64{2, 2000, 100_000}[random.IntN(3)])
				got, want := a.expired(before), 0
				for _, at := range held {
					if at>>a.shift < (before+1)>>a.shift {
						want++
					}
				}
				if got != want {
					t.Fatalf("seed %d, step %d: %d records are at or before %d, want %d", seed, step, got, before, want)
				}
			}
		}
	}
}
