package main

import (
	"math"
	"math/rand/v2"
)

const (
	minAmount = 1
	maxAmount = 9999 // one less than what US banks have to report

	amountMedian = 100
	amountSigma  = 1.0
)

// uniformAmount draws every amount equally often.
func uniformAmount(rng *rand.Rand) uint32 {
	return minAmount + rng.Uint32N(maxAmount-minAmount+1)
}

// lognormalAmount draws as people pay: mostly small, seldom large. It draws
// again outside of the limits, which happens about once in 470,000 times.
func lognormalAmount(rng *rand.Rand) uint32 {
	for {
		amount := math.Round(amountMedian * math.Exp(amountSigma*rng.NormFloat64()))
		if amount >= minAmount && amount <= maxAmount {
			return uint32(amount)
		}
	}
}
