package window_test

import (
	"math/rand/v2"
	"runtime"
	"testing"

	"fintrans/internal/window"
)

// TestMemory holds what a Window takes from the heap to its bounds. It does not run in parallel with
// other tests: it measures the whole process.
func TestMemory(t *testing.T) {
	const length = 3_600_000
	const transfers = 1_000_000
	tests := []struct {
		name           string
		pairs          int
		config         window.Config
		load, lockstep bool
		perPair        int64 // bytes besides 8 for each transaction, at most
	}{
		{name: "ten to a pair", pairs: 100_000, perPair: 64},
		{name: "ten to a pair, in turn", pairs: 100_000, lockstep: true, perPair: 64},
		{name: "ten to a pair, loaded", pairs: 100_000, load: true, perPair: 64},
		{name: "one to a pair", pairs: 1_000_000, lockstep: true, perPair: 64},
		{name: "a hundred to a pair", pairs: 10_000, perPair: 128},
		{name: "one pair", pairs: 1, perPair: transfers}, // room to grow: an eighth
		{name: "length 0", pairs: 100_000, config: window.Config{Threshold: 1 << 40}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			config := test.config
			if config == (window.Config{}) {
				config = window.Config{Threshold: 1 << 40, Length: length}
			}
			rng := rand.New(rand.NewPCG(5, 5))
			before := heap()
			w := window.New(config)
			for i := range transfers {
				pair := rng.IntN(test.pairs)
				if test.lockstep {
					pair = i % test.pairs
				}
				at := 1 + int64(i)*length/transfers
				if test.load {
					w.Load(uint64(pair), 100, at, 0)
				} else {
					w.Observe(uint64(pair), 100, at, 0)
				}
			}
			w.Forget(0) // as a service does all the time; nothing is that old
			taken, size := heap()-before, w.Size()
			pairs := int64(size.Pairs)
			t.Logf("%d transactions of %d pairs: %d bytes, %.1f a pair besides 8 a transaction; Size says %d",
				transfers, pairs, taken, float64(taken-8*transfers)/float64(pairs), size.Bytes)
			if want := 8*transfers + test.perPair*pairs; taken > want {
				t.Errorf("%d bytes, want at most %d", taken, want)
			}
			if test.lockstep && size.Pairs != test.pairs {
				t.Errorf("%d pairs, want %d", size.Pairs, test.pairs)
			}
			if diff := size.Bytes - taken; max(diff, -diff) > taken/16+1<<16 {
				t.Errorf("Size says %d bytes, the heap %d", size.Bytes, taken)
			}
			w.Forget(length + 1)
			if left := heap() - before; config.Length > 0 && left > 1<<20 {
				t.Errorf("%d bytes are left after everything was forgotten", left)
			}
			runtime.KeepAlive(w)
		})
	}
}

// heap returns the bytes of all live objects.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
