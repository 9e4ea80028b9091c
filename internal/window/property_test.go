package window_test

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"fintrans/internal/window"
)

// sequence is a random course of transactions for which collisions of all kinds are likely.
func sequence(rng *rand.Rand, n int, length int64) []transfer {
	pairs, amounts := rng.Uint64N(3)+1, rng.Uint32N(12)+1
	lateness := rng.Int64N(2*length + 3)
	step := rng.Int64N(length/2+2) + 1
	scale := int64(1)
	if length < 1000 && rng.IntN(4) == 0 {
		scale = 1 << (20 + rng.IntN(14)) // spans that fit a pair's narrow form for a while or not at all
	}
	start := rng.Int64N(1 << 41)
	if rng.IntN(2) == 0 {
		start = 2 * lateness
	}
	var ts []transfer
	for range n {
		start += rng.Int64N(step) * scale
		at := start
		if rng.IntN(3) == 0 {
			at = max(0, start-rng.Int64N(lateness+1)*scale)
		}
		ts = append(ts, transfer{rng.Uint64N(pairs), rng.Uint32N(amounts), at, uint8(rng.IntN(8))})
	}
	return ts
}

func config(rng *rand.Rand) window.Config {
	c := window.Config{Threshold: rng.Uint64N(25), Every: rng.IntN(3) == 0}
	if rng.IntN(10) > 0 {
		c.Length = rng.Int64N(20) + 1
	}
	if rng.IntN(8) == 0 {
		c.Length <<= 20 + rng.IntN(14)
	}
	return c
}

// start returns a Window and its oracle, both empty, or with so much in other pairs that the few
// transactions of a test are too small a share to be swept when they are forgotten.
func start(c window.Config, fill bool) (*window.Window, *oracle) {
	w, o := window.New(c), newOracle(c)
	if fill {
		for i := range int64(1000) {
			w.Load(1<<60+uint64(i), 0, 1<<45, 0)
		}
		w.Forget(0)
		o.forget(0)
	}
	return w, o
}

// rebuilt returns a fresh Window that was loaded, in random order, with what the oracle holds.
func rebuilt(rng *rand.Rand, o *oracle, forget, fill bool) *window.Window {
	w, _ := start(o.config, fill)
	if forget {
		w.Forget(o.forgotten)
	}
	held := slices.Clone(o.held)
	rng.Shuffle(len(held), func(i, j int) { held[i], held[j] = held[j], held[i] })
	for _, x := range held {
		w.Load(x.pair, x.amount, x.at, x.tag)
	}
	if !forget {
		w.Forget(o.forgotten)
	}
	return w
}

// TestOracle drives a Window and the oracle through random sequences, with times forgotten anywhere and
// rebuilds in the middle.
func TestOracle(t *testing.T) {
	t.Parallel()
	for seed := range uint64(1500) {
		rng := rand.New(rand.NewPCG(seed, 1))
		c := config(rng)
		fill := rng.IntN(2) == 0
		w, o := start(c, fill)
		forgets := rng.IntN(3) // never, seldom, often
		for i, x := range sequence(rng, 60, max(c.Length, 8)) {
			if forgets > 0 && rng.IntN(30/(forgets*forgets*3)) == 0 {
				before := x.at - rng.Int64N(3*c.Length+2)
				w.Forget(before)
				o.forget(before)
			}
			switch rng.IntN(20) {
			case 0:
				w = rebuilt(rng, o, rng.IntN(2) == 0, fill)
			case 1:
				w.Load(x.pair, x.amount, x.at, x.tag)
				o.load(x)
				continue
			}
			got, ok := w.Observe(x.pair, x.amount, x.at, x.tag)
			if want, wantOK := o.observe(x); got != want || ok != wantOK {
				t.Fatalf("seed %d, %+v, transfer %d %+v: got %+v, %v, want %+v, %v",
					seed, c, i, x, got, ok, want, wantOK)
			}
			if got := w.Size().Records; c.Length > 0 && got < len(o.held) {
				t.Fatalf("seed %d, transfer %d: %d records in memory, %d are held", seed, i, got, len(o.held))
			}
		}
	}
}

// TestAlertsMatchFinalEpisodes states what alerts are good for: whatever the order, each final episode is
// touched by a transaction that alerted, and each alert lies in a final episode. Those of a pair in
// order are one for each episode, exactly.
func TestAlertsMatchFinalEpisodes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(800) {
		rng := rand.New(rand.NewPCG(seed, 2))
		c := window.Config{Threshold: rng.Uint64N(25), Length: rng.Int64N(20) + 1}
		all := sequence(rng, 50, c.Length)
		inOrder := rng.IntN(3) == 0
		if inOrder {
			slices.SortFunc(all, func(a, b transfer) int { return cmp.Compare(a.at, b.at) })
		}
		w, o := window.New(c), newOracle(c)
		alerted := map[uint64][]transfer{}
		alerts := map[uint64][]window.Alert{}
		for _, x := range all {
			if a, ok := w.Observe(x.pair, x.amount, x.at, x.tag); ok {
				alerted[x.pair] = append(alerted[x.pair], x)
				alerts[x.pair] = append(alerts[x.pair], a)
			}
			o.load(x)
		}
		for pair := range uint64(3) {
			final := episodes(o.of(pair), c.Threshold, c.Length)
			if inOrder && len(final) != len(alerts[pair]) {
				t.Fatalf("seed %d, %+v: %d alerts in order, %d episodes", seed, c, len(alerts[pair]), len(final))
			}
			for _, e := range final {
				touches := func(x transfer) bool { return x.at <= e.to && e.from <= x.at+c.Length }
				if !slices.ContainsFunc(alerted[pair], touches) {
					t.Fatalf("seed %d, %+v: no transaction that alerted touches %+v", seed, c, e)
				}
			}
			for _, a := range alerts[pair] {
				within := func(e span) bool { return e.from <= a.At && a.At < e.to && a.Total <= e.largest }
				if !slices.ContainsFunc(final, within) {
					t.Fatalf("seed %d, %+v: %+v is in no final episode of %+v", seed, c, a, final)
				}
			}
		}
	}
}

// TestForgettingInTimeChangesNothing forgets as closely behind what is still to come as the comment of
// Forget allows.
func TestForgettingInTimeChangesNothing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(800) {
		rng := rand.New(rand.NewPCG(seed, 3))
		c := config(rng)
		all := sequence(rng, 60, max(c.Length, 8))
		low := make([]int64, len(all)) // of what is still to come
		for i := len(all) - 1; i >= 0; i-- {
			low[i] = all[i].at
			if i+1 < len(all) {
				low[i] = min(low[i], low[i+1])
			}
		}
		w, keeps := window.New(c), window.New(c)
		for i, x := range all {
			w.Forget(low[i] - c.Length - 1)
			got, ok := w.Observe(x.pair, x.amount, x.at, x.tag)
			want, wantOK := keeps.Observe(x.pair, x.amount, x.at, x.tag)
			if got != want || ok != wantOK {
				t.Fatalf("seed %d, %+v, transfer %d %+v: got %+v, %v, want %+v, %v",
					seed, c, i, x, got, ok, want, wantOK)
			}
		}
	}
}

// TestManyPairs takes pairs through all sizes at once, against plain sums: the places of their records
// and their numbers change all the time. Everything alerts, so each Observe shows what a pair holds.
func TestManyPairs(t *testing.T) {
	t.Parallel()
	const length = 40_000
	rng := rand.New(rand.NewPCG(4, 4))
	w := window.New(window.Config{Length: length, Every: true})
	type plain struct {
		at     []int64
		amount []uint64
	}
	pairs := map[uint64]*plain{}
	for now := int64(0); now < 300_000; now++ {
		key := uint64(rng.ExpFloat64() * 300)
		if now/50_000%2 == 1 {
			key = uint64(rng.IntN(20_000)) // most of the pairs live and die in these phases
		}
		amount := rng.Uint32N(100) + 1
		p := pairs[key]
		if p == nil {
			p = &plain{}
			pairs[key] = p
		}
		for len(p.at) > 0 && p.at[0] <= now-length {
			p.at, p.amount = p.at[1:], p.amount[1:]
		}
		p.at, p.amount = append(p.at, now), append(p.amount, uint64(amount))
		var total uint64
		for _, a := range p.amount {
			total += a
		}
		got, ok := w.Observe(key, amount, now, 0)
		want := window.Alert{Total: total, At: now, Transfers: len(p.at), First: p.at[0], Last: now, Tags: 1}
		if !ok || got != want {
			t.Fatalf("at %d, pair %d: got %+v, %v, want %+v", now, key, got, ok, want)
		}
		if now%64 == 0 {
			w.Forget(now - length)
		}
	}
}
