package window_test

import (
	"math/rand/v2"
	"testing"

	"fintrans/internal/window"
)

// FuzzWindowAgainstOracle reads a Config from the first four bytes and a step from each four that
// follow: what to do and for which pair, the amount, and how time moves.
func FuzzWindowAgainstOracle(f *testing.F) {
	// In each step: operation and pair, amount, time back (late) or forth.
	f.Add([]byte{10, 60, 0, 0, 0, 6, 0, 0, 0, 6, 10, 0, 0, 6, 55, 0})                // fell unseen
	f.Add([]byte{10, 60, 0, 0, 0, 6, 0, 0, 0, 6, 1, 0, 0, 6, 59, 0})                 // never fell
	f.Add([]byte{10, 60, 0, 0, 0, 4, 0, 0, 0, 4, 40, 0, 0, 4, 0, 20})                // late
	f.Add([]byte{10, 60, 0, 0, 0, 6, 0, 0, 0, 6, 100, 0, 0, 5, 0, 50})               // creates two
	f.Add([]byte{10, 60, 0, 0, 0, 11, 0, 0, 0, 11, 100, 0, 0, 11, 0, 50})            // joins two
	f.Add([]byte{10, 60, 1, 0, 0, 6, 0, 0, 0, 6, 10, 0, 64, 6, 5, 3})                // every, rebuilt
	f.Add([]byte{10, 0, 0, 0, 0, 6, 0, 0, 128, 6, 10, 0, 192, 0, 9, 9})              // everything, loads
	f.Add([]byte{10, 3, 30, 0, 0, 6, 0, 0, 0, 6, 10, 0, 192, 0, 0, 9, 0, 6, 1, 1})   // wide spans
	f.Add([]byte{10, 60, 0, 1, 0, 6, 10, 0, 0, 6, 1, 0, 192, 0, 59, 60, 0, 6, 0, 0}) // forgotten, not swept
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 4 || len(data) > 4+4*64 {
			return
		}
		scale := uint(data[2] >> 1 & 31)
		c := window.Config{Threshold: uint64(data[0]), Length: int64(data[1]) << scale, Every: data[2]&1 == 1}
		rng := rand.New(rand.NewPCG(uint64(data[3]), 0))
		fill := data[3]&1 == 1
		w, o := start(c, fill)
		var now int64
		for i, step := 0, data[4:]; len(step) >= 4; i, step = i+1, step[4:] {
			now += int64(step[2]) << scale
			x := transfer{
				pair:   uint64(step[0] & 1),
				amount: uint32(step[1]),
				at:     max(0, now-int64(step[3])<<scale),
				tag:    step[0] >> 1 & 7,
			}
			switch step[0] >> 6 {
			case 1:
				w = rebuilt(rng, o, step[0]&32 == 0, fill)
			case 2:
				w.Load(x.pair, x.amount, x.at, x.tag)
				o.load(x)
				continue
			case 3:
				w.Forget(x.at)
				o.forget(x.at)
				continue
			}
			got, ok := w.Observe(x.pair, x.amount, x.at, x.tag)
			if want, wantOK := o.observe(x); got != want || ok != wantOK {
				t.Fatalf("%+v, step %d %+v: got %+v, %v, want %+v, %v", c, i, x, got, ok, want, wantOK)
			}
		}
	})
}
