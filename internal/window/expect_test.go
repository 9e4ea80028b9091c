package window_test

import (
	"math/rand/v2"
	"testing"

	"fintrans/internal/window"
)

// TestExpectChangesNothing has two windows judge the same, of which one is told before what is to come.
func TestExpectChangesNothing(t *testing.T) {
	t.Parallel()
	const accounts, batches, batch, length = 20_000, 400, 256, 50_000
	config := window.Config{Threshold: 1500, Length: length}
	told, other := window.New(config), window.New(config)
	rng := rand.New(rand.NewPCG(8, 8))
	pairs, alerts := make([]uint64, batch), 0
	for n := range batches {
		now := int64(n * batch)
		for i := range pairs {
			pairs[i] = rng.Uint64N(accounts)
		}
		told.Expect(pairs)
		for i, pair := range pairs {
			amount, at := rng.Uint32N(1000), max(0, now+int64(i)-rng.Int64N(100))
			got, alerted := told.Observe(pair, amount, at, uint8(i%5))
			want, wanted := other.Observe(pair, amount, at, uint8(i%5))
			if got != want || alerted != wanted {
				t.Fatalf("transaction %d: %+v, %v, want %+v, %v", n*batch+i, got, alerted, want, wanted)
			}
			if alerted {
				alerts++
			}
		}
		told.Forget(now - length)
		other.Forget(now - length)
	}
	if told.Size() != other.Size() {
		t.Errorf("got %+v, want %+v", told.Size(), other.Size())
	}
	if alerts == 0 {
		t.Error("nothing was judged that alerts")
	}
}
