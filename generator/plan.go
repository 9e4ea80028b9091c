package main

import (
	"container/heap"
	"math/rand/v2"

	"fintrans/internal/transaction"
)

// planConfig decides, alone, which transactions are sent in which order.
type planConfig struct {
	seed        uint64
	accounts    uint32 // at least 2
	uniform     bool   // amounts, instead of lognormal
	weights     cityWeights
	ringShare   float64 // 0 to 1
	ringSpread  int64   // number of transactions over which a ring is spread
	ringMinimum uint32  // least total of a ring
}

// planned is one transaction to be sent.
type planned struct {
	transaction.Transaction
	city      int    // index into transaction.Cities
	ring      uint64 // number of its ring, from 1; 0 = none
	transfers int    // of the whole ring
}

// plan is the endless sequence of transactions of a planConfig. It has no clock
// and is not safe for concurrent use.
type plan struct {
	cfg    planConfig
	rng    *rand.Rand
	amount func(*rand.Rand) uint32
	total  float64 // of the weights

	index  int64   // of the next transaction
	credit float64 // ring transfers that are due by the share, less those planned
	rings  uint64
	recent recentPairs
	due    dueTransfers
}

func newPlan(cfg planConfig) *plan {
	p := &plan{
		cfg:    cfg,
		rng:    rand.New(rand.NewPCG(cfg.seed, 0)),
		amount: lognormalAmount,
		recent: newRecentPairs(cfg.accounts),
	}
	if cfg.uniform {
		p.amount = uniformAmount
	}
	for _, weight := range cfg.weights {
		p.total += weight
	}
	return p
}

// next returns the next transaction.
//
// Rings are paid for afterwards: one begins when the share has made up for those
// before it. So the first begins at once, and it alone is not spread: a new
// installation has its first alert within as many transactions.
func (p *plan) next() planned {
	if p.cfg.ringShare > 0 && p.credit >= 0 {
		p.plantRing()
	}
	p.credit += p.cfg.ringShare
	index := p.index
	p.index++
	// When everything is to belong to rings there is nothing to put in between.
	if len(p.due) > 0 && (p.due[0].index <= index || p.cfg.ringShare >= 1) {
		return heap.Pop(&p.due).(dueTransfer).planned
	}
	return planned{
		Transaction: p.transaction(p.pair(), p.amount(p.rng)),
		city:        p.city(),
	}
}

func (p *plan) transaction(pair transaction.Pair, amount uint32) transaction.Transaction {
	return transaction.Transaction{Source: pair.Source(), Target: pair.Target(), Amount: amount}
}

// pair draws two different accounts.
func (p *plan) pair() transaction.Pair {
	source := p.rng.Uint32N(p.cfg.accounts)
	target := p.rng.Uint32N(p.cfg.accounts - 1)
	if target >= source {
		target++
	}
	return transaction.PairOf(source+1, target+1)
}

// city draws a city by weight.
func (p *plan) city() int {
	x := p.rng.Float64() * p.total
	last := 0
	for i, weight := range p.cfg.weights {
		if weight == 0 {
			continue
		}
		if last = i; x < weight {
			break
		}
		x -= weight
	}
	return last
}
