package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"fintrans/internal/transaction"
)

// testPlan is the plan of the defaults, with a seed.
func testPlan(change func(*planConfig)) *plan {
	cfg := planConfig{
		seed: 7, accounts: 1000, weights: cityWeights{1, 1, 1, 1, 1},
		ringShare: 0.01, ringSpread: 60, ringMinimum: 20_000,
	}
	if change != nil {
		change(&cfg)
	}
	return newPlan(cfg)
}

func take(p *plan, n int) []planned {
	all := make([]planned, n)
	for i := range all {
		all[i] = p.next()
	}
	return all
}

// ringsOf collects the transfers of each ring.
func ringsOf(all []planned) map[uint64][]planned {
	rings := map[uint64][]planned{}
	for _, p := range all {
		if p.ring != 0 {
			rings[p.ring] = append(rings[p.ring], p)
		}
	}
	return rings
}

func TestPlanIsReproducible(t *testing.T) {
	t.Parallel()
	first, again := take(testPlan(nil), 20_000), take(testPlan(nil), 20_000)
	if !slices.Equal(first, again) {
		t.Error("the same seed gave other transactions")
	}
	other := take(testPlan(func(c *planConfig) { c.seed = 8 }), 20_000)
	if slices.Equal(first, other) {
		t.Error("another seed gave the same transactions")
	}
}

func TestPlanOfEachShape(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		n      int
		change func(*planConfig)
	}{
		{"defaults", 100_000, nil},
		{"uniform amounts", 100_000, func(c *planConfig) { c.uniform = true }},
		{"two accounts", 20_000, func(c *planConfig) { c.accounts = 2 }},
		{"all accounts there are", 20_000, func(c *planConfig) { c.accounts = math.MaxUint32 }},
		{"a tenth in rings", 100_000, func(c *planConfig) { c.ringShare = 0.1 }},
		{"rings spread wide", 100_000, func(c *planConfig) { c.ringSpread = 5000 }},
		{"half in rings", 50_000, func(c *planConfig) { c.ringShare = 0.5 }},
		{"nothing but rings", 20_000, func(c *planConfig) { c.ringShare = 1 }},
		{"rings not spread", 100_000, func(c *planConfig) { c.ringSpread = 0 }},
		{"small rings", 50_000, func(c *planConfig) { c.ringMinimum = 30 }},
		{"large rings", 100_000, func(c *planConfig) { c.ringMinimum = 1_000_000; c.ringSpread = 1000 }},
		{"two cities", 50_000, func(c *planConfig) { c.weights = cityWeights{0, 99, 0, 1, 0} }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := testPlan(test.change)
			all := take(p, test.n)
			for i, tx := range all {
				if err := wrong(tx, p.cfg); err != nil {
					t.Fatalf("transaction %d: %v", i, err)
				}
			}
			complete := 0
			for _, transfers := range ringsOf(all) {
				if len(transfers) == transfers[0].transfers {
					complete++
					checkRing(t, transfers, p.cfg)
				}
			}
			if complete == 0 {
				t.Error("no ring is complete")
			}
			checkShare(t, all, p.cfg)
		})
	}
}

// wrong says what is wrong with a single transaction.
func wrong(p planned, cfg planConfig) error {
	switch {
	case p.Source == p.Target:
		return fmt.Errorf("account %d pays itself", p.Source)
	case p.Source < 1 || p.Source > cfg.accounts || p.Target < 1 || p.Target > cfg.accounts:
		return fmt.Errorf("accounts %d and %d of %d", p.Source, p.Target, cfg.accounts)
	case p.Amount < 1 || p.Amount > 9999:
		return fmt.Errorf("amount %d", p.Amount)
	case cfg.weights[p.city] == 0:
		return fmt.Errorf("city %s has no weight", cities[p.city])
	}
	return nil
}

func checkRing(t *testing.T, transfers []planned, cfg planConfig) {
	t.Helper()
	ring, total := transfers[0], uint32(0)
	different := false
	for _, p := range transfers {
		total += p.Amount
		different = different || p.city != ring.city
		if p.Pair() != ring.Pair() || p.transfers != len(transfers) {
			t.Errorf("ring %d: got transfers %+v and %+v", p.ring, ring, p)
		}
		if p.Amount >= 10_000 || p.Amount == 0 {
			t.Errorf("ring %d: got a transfer of %d", p.ring, p.Amount)
		}
	}
	if len(transfers) < 3 || total < cfg.ringMinimum || total > cfg.ringMinimum+cfg.ringMinimum/2 {
		t.Errorf("ring %d: got %d transfers of together %d, want at least 3 of %d to half as much again", ring.ring, len(transfers), total, cfg.ringMinimum)
	}
	if mean := total / uint32(len(transfers)); mean > 5000 {
		t.Errorf("ring %d: got a mean of %d", ring.ring, mean)
	}
	if !different {
		t.Errorf("ring %d: all of it is in %s", ring.ring, cities[ring.city])
	}
}

func checkShare(t *testing.T, all []planned, cfg planConfig) {
	t.Helper()
	inRings := 0
	for _, p := range all {
		if p.ring != 0 {
			inRings++
		}
	}
	// What is spread at the end is missing, and the largest ring may be ahead.
	slack := float64(cfg.ringSpread)*cfg.ringShare + float64(cfg.ringMinimum)*1.5/ringMeanAmount + 5
	if want := cfg.ringShare * float64(len(all)); math.Abs(float64(inRings)-want) > slack {
		t.Errorf("got %d transfers in rings, want %.0f within %.0f", inRings, want, slack)
	}
}

func TestFirstRingIsFirst(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		p := testPlan(func(c *planConfig) { c.seed = seed; c.ringSpread = 1_000_000 })
		first := p.next()
		if first.ring != 1 {
			t.Fatalf("seed %d: the first transaction is of ring %d", seed, first.ring)
		}
		for i := 1; i < first.transfers; i++ {
			if next := p.next(); next.ring != 1 {
				t.Fatalf("seed %d: transaction %d of the first %d is of ring %d", seed, i, first.transfers, next.ring)
			}
		}
	}
}

func TestRingsAreSpread(t *testing.T) {
	t.Parallel()
	all := take(testPlan(func(c *planConfig) { c.ringSpread = 1000 }), 100_000)
	first, last := map[uint64]int{}, map[uint64]int{}
	for i, p := range all {
		if _, seen := first[p.ring]; !seen {
			first[p.ring] = i
		}
		last[p.ring] = i
	}
	rings := ringsOf(all)
	for ring, transfers := range rings {
		if ring == 1 || len(transfers) < transfers[0].transfers {
			continue
		}
		length := last[ring] - first[ring]
		if most, least := 1000+len(rings), 1000/len(transfers); length > most || length < least {
			t.Errorf("ring %d: %d transfers over %d transactions, want %d to %d", ring, len(transfers), length, least, most)
		}
	}
}

func TestNoRingsWithoutAShare(t *testing.T) {
	t.Parallel()
	if rings := ringsOf(take(testPlan(func(c *planConfig) { c.ringShare = 0 }), 10_000)); len(rings) != 0 {
		t.Errorf("got %d rings", len(rings))
	}
}

func TestRingsHavePairsOfTheirOwn(t *testing.T) {
	t.Parallel()
	all := take(testPlan(func(c *planConfig) { c.ringShare = 0.3; c.accounts = 40; c.ringSpread = 0 }), 20_000)
	last := map[transaction.Pair]uint64{}
	limit := uint64(40 * 39 / 2)
	for ring, transfers := range ringsOf(all) {
		pair := transfers[0].Pair()
		if before, seen := last[pair]; seen && max(before, ring)-min(before, ring) < limit {
			t.Errorf("rings %d and %d have the pair %v", before, ring, pair)
		}
		last[pair] = ring
	}
}

func TestCityWeights(t *testing.T) {
	t.Parallel()
	const n = 100_000
	weights := cityWeights{6, 0, 3, 0.5, 0.5}
	got := [cityCount]int{}
	for _, p := range take(testPlan(func(c *planConfig) { c.weights = weights; c.ringShare = 0 }), n) {
		got[p.city]++
	}
	for i, weight := range weights {
		want := weight / 10 * n
		if math.Abs(float64(got[i])-want) > 0.01*n {
			t.Errorf("%s: got %d, want about %.0f", cities[i], got[i], want)
		}
	}
}

func TestAmounts(t *testing.T) {
	t.Parallel()
	const n = 200_001
	draw := func(amount func(*rand.Rand) uint32) []uint32 {
		rng := rand.New(rand.NewPCG(3, 4))
		all := make([]uint32, n)
		for i := range all {
			all[i] = amount(rng)
		}
		slices.Sort(all)
		return all
	}
	for _, test := range []struct {
		name   string
		amount func(*rand.Rand) uint32
		// quantiles that the distribution has, computed by hand
		low, median, high float64
	}{
		// 100 * exp(-1.2816), 100, 100 * exp(1.2816)
		{"lognormal", lognormalAmount, 27.8, 100, 360.2},
		{"uniform", uniformAmount, 1000, 5000, 9000},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			all := draw(test.amount)
			if all[0] < 1 || all[n-1] > 9999 {
				t.Errorf("got amounts from %d to %d", all[0], all[n-1])
			}
			for quantile, want := range map[float64]float64{0.1: test.low, 0.5: test.median, 0.9: test.high} {
				got := float64(all[int(quantile*(n-1))])
				if math.Abs(got-want) > 0.03*want+0.5 {
					t.Errorf("quantile %.1f: got %.0f, want %.1f", quantile, got, want)
				}
			}
		})
	}
}
