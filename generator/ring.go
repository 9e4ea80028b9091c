package main

import (
	"container/heap"

	"fintrans/internal/transaction"
)

const (
	ringMeanAmount   = 5000 // at most; with ringUnevenness no transfer reaches 10000
	ringUnevenness   = 0.3
	ringMinTransfers = 3
	ringRecentPairs  = 1000
)

// plantRing draws a ring and puts its transfers where they are due.
func (p *plan) plantRing() {
	p.rings++
	pair := p.recent.draw(p.pair)
	amounts := p.ringAmounts()
	cities := p.ringCities(len(amounts))
	spread := max(p.cfg.ringSpread, int64(len(amounts)))
	if p.rings == 1 {
		spread = int64(len(amounts))
	}
	for i, amount := range amounts {
		// One in each of equal stretches, anywhere within it.
		within := (float64(i) + p.rng.Float64()) / float64(len(amounts))
		heap.Push(&p.due, dueTransfer{
			index: p.index + int64(within*float64(spread)),
			order: int64(p.rings)<<16 + int64(i),
			planned: planned{
				Transaction: p.transaction(pair, amount),
				city:        cities[i],
				ring:        p.rings,
				transfers:   len(amounts),
			},
		})
	}
	p.credit -= float64(len(amounts))
}

// ringAmounts draws what the transfers of a ring are worth: together 1 to 1.5
// times the minimum, each well below what has to be reported.
func (p *plan) ringAmounts() []uint32 {
	total := p.cfg.ringMinimum + p.rng.Uint32N(p.cfg.ringMinimum/2+1)
	n := max(ringMinTransfers, (total+ringMeanAmount-1)/ringMeanAmount) + p.rng.Uint32N(3)
	weights := make([]float64, n)
	sum := 0.0
	for i := range weights {
		weights[i] = 1 - ringUnevenness + 2*ringUnevenness*p.rng.Float64()
		sum += weights[i]
	}
	amounts := make([]uint32, n)
	rest := total
	for i, weight := range weights {
		amounts[i] = uint32(float64(total) * weight / sum)
		rest -= amounts[i]
	}
	for i := range rest { // less than n: what rounding has left
		amounts[i]++
	}
	return amounts
}

// ringCities draws a city for each transfer, at least two different ones unless
// only one has any weight.
func (p *plan) ringCities(n int) []int {
	cities := make([]int, n)
	different := false
	for i := range cities {
		cities[i] = p.city()
		different = different || cities[i] != cities[0]
	}
	if different {
		return cities
	}
	for i, weight := range p.cfg.weights {
		if weight > 0 && i != cities[0] {
			cities[p.rng.IntN(n)] = i
			break
		}
	}
	return cities
}

// dueTransfer is a transfer of a ring and the index from which on it is to be sent.
type dueTransfer struct {
	planned
	index int64
	order int64 // among those of one index
}

// dueTransfers is a heap, the earliest first.
type dueTransfers []dueTransfer

func (d dueTransfers) Len() int      { return len(d) }
func (d dueTransfers) Swap(i, j int) { d[i], d[j] = d[j], d[i] }
func (d dueTransfers) Less(i, j int) bool {
	if d[i].index != d[j].index {
		return d[i].index < d[j].index
	}
	return d[i].order < d[j].order
}
func (d *dueTransfers) Push(x any) { *d = append(*d, x.(dueTransfer)) }
func (d *dueTransfers) Pop() any {
	old := *d
	last := old[len(old)-1]
	*d = old[:len(old)-1]
	return last
}

// recentPairs keeps the pairs of the latest rings apart, so that one does not
// pay for the alert of another.
type recentPairs struct {
	used  map[transaction.Pair]bool
	order []transaction.Pair // the oldest is at next once it is full
	next  int
	limit int
}

func newRecentPairs(accounts uint32) recentPairs {
	pairs := uint64(accounts) * uint64(accounts-1)
	return recentPairs{
		used:  make(map[transaction.Pair]bool),
		limit: int(min(ringRecentPairs, pairs/2)), // so that drawing ends
	}
}

// draw returns a pair that no recent ring has.
func (r *recentPairs) draw(pair func() transaction.Pair) transaction.Pair {
	drawn := pair()
	for r.used[drawn] {
		drawn = pair()
	}
	r.used[drawn] = true
	if len(r.order) < r.limit {
		r.order = append(r.order, drawn)
		return drawn
	}
	delete(r.used, r.order[r.next])
	r.order[r.next] = drawn
	r.next = (r.next + 1) % r.limit
	return drawn
}
