package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"fintrans/internal/kafka"
	"fintrans/internal/service"
	"fintrans/internal/transaction"
)

// config is what the generator can be told, by flag or by environment.
type config struct {
	service.Common `embed:""`
	kafka.Settings `embed:""`

	GenWaitSec     service.Seconds  `name:"gen-wait-sec" default:"2" help:"Seconds between two transactions, fractions allowed; 0 is as fast as the brokers acknowledge."`
	GenCount       service.Count    `name:"gen-count" default:"0" help:"Stop when this many transactions are acknowledged; 0 goes on for ever."`
	GenSeed        service.Count    `name:"gen-seed" default:"0" help:"Seed: the same one gives the same transactions in the same order; 0 is a random one, which is logged."`
	GenAccounts    service.Count    `name:"gen-accounts" default:"1000" min:"2" max:"4294967295" help:"Number of accounts, which are numbered from 1."`
	GenAmounts     service.Choice   `name:"gen-amounts" enum:"lognormal,uniform" default:"lognormal" help:"How amounts from 1 to 9999 dollars are drawn: around a median of 100, as people pay, or all equally often."`
	GenCityWeights cityWeights      `name:"gen-city-weights" default:"London=1,NYC=1,SF=1,Moscow=1,Tokyo=1" help:"How often each city occurs, relative to the others. A city that is not named gets nothing."`
	RingShare      service.Number   `name:"ring-share" default:"0.01" min:"0" max:"1" help:"Share of the transactions that belong to planted rings; 0 plants none, not even the first."`
	RingSpread     service.Duration `name:"ring-spread" default:"2m" help:"Time over which the transfers of a ring are spread; without a wait between transactions it is counted at 1000 per second."`
	RingTotal      service.Count    `name:"ring-total" default:"20000" min:"30" max:"1000000" help:"Least sum of a ring, in dollars; up to half as much again."`
}

// ratePerSecondUnpaced is the rate at which RING_SPREAD is turned into a number
// of transactions when they go out as fast as possible: the plan has no clock.
const ratePerSecondUnpaced = 1000

// plan returns what decides about the transactions.
func (c config) plan(seed uint64) planConfig {
	rate := float64(ratePerSecondUnpaced)
	if wait := c.GenWaitSec.Duration(); wait > 0 {
		rate = float64(time.Second) / float64(wait)
	}
	return planConfig{
		seed:        seed,
		accounts:    uint32(c.GenAccounts),
		uniform:     c.GenAmounts == "uniform",
		weights:     c.GenCityWeights,
		ringShare:   float64(c.RingShare),
		ringSpread:  int64(min(c.RingSpread.Duration().Seconds()*rate, math.MaxInt32)),
		ringMinimum: uint32(c.RingTotal),
	}
}

// seed returns the seed that was asked for, or a random one.
func (c config) seed() uint64 {
	if c.GenSeed != 0 {
		return uint64(c.GenSeed)
	}
	return 1 + rand.Uint64N(math.MaxUint32) // short enough to be typed again
}

// cityWeights says how often each city occurs, in the order of transaction.Cities.
type cityWeights [cityCount]float64

const cityCount = 5

// String gives the weights in the form that UnmarshalText reads.
func (w cityWeights) String() string {
	parts := make([]string, cityCount)
	for i, city := range transaction.Cities() {
		parts[i] = city + "=" + strconv.FormatFloat(w[i], 'g', -1, 64)
	}
	return strings.Join(parts, ",")
}

// UnmarshalText reads city=weight, separated by commas. Weights are decimal
// numbers, not negative and not all zero; no city may come twice.
func (w *cityWeights) UnmarshalText(text []byte) error {
	cities := transaction.Cities()
	var weights cityWeights
	var seen [cityCount]bool
	sum := 0.0
	for part := range strings.SplitSeq(string(text), ",") {
		city, number, _ := strings.Cut(part, "=")
		i := slices.Index(cities, strings.TrimSpace(city))
		weight, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		switch {
		case i < 0:
			return fmt.Errorf("%q names an unknown city: expected some of %s, as in London=2,NYC=1", text, strings.Join(cities, ", "))
		case seen[i]:
			return fmt.Errorf("%q names %s twice: expected each city once", text, cities[i])
		case err != nil || weight < 0 || math.IsNaN(weight) || weight > 1e9:
			return fmt.Errorf("%q gives %s no weight from 0 to 1e9: expected as in London=2,NYC=1", text, cities[i])
		}
		seen[i], weights[i] = true, weight
		sum += weight
	}
	if sum == 0 {
		return fmt.Errorf("%q weighs nothing: expected at least one weight above 0", text)
	}
	*w = weights
	return nil
}
