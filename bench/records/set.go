// Package records makes the transactions that programs are measured on, and puts them into Kafka.
package records

import (
	"math/rand/v2"
	"strconv"
	"time"

	"fintrans/internal/transaction"
)

// Partitions is the number of partitions of each city's topic, as the generator makes them.
const Partitions = 6

// Set describes transactions. Those of two sets that are described alike are the same, in the same order.
type Set struct {
	Count int64
	// Sources and Targets are the numbers of accounts that pay and that are paid; with the same number of both no
	// account pays itself. Their product is the number of pairs.
	Sources, Targets uint32
	// EachOnce takes one pair after the other instead of a random one, so that all of them occur.
	EachOnce bool
	// Newest is the time of the last transaction, or about that; Span how much older the first one is.
	Newest time.Time
	Span   time.Duration
}

// Pairs returns how many pairs of accounts there are.
func (s Set) Pairs() int64 {
	if s.Sources == s.Targets {
		return int64(s.Sources) * int64(s.Targets-1)
	}
	return int64(s.Sources) * int64(s.Targets)
}

// maxAmount keeps all sums below the threshold of an alert: what is measured is what every transaction costs.
const maxAmount = 9

// Each calls put with each transaction, the number of its city, and its time in ms since 1970.
func (s Set) Each(put func(city int, t transaction.Transaction, millis int64) error) error {
	rng := rand.New(rand.NewPCG(8, 8))
	pairs, cities := uint64(s.Pairs()), len(transaction.Cities())
	// As customers come: each at a random time after the one before.
	at, gap := float64(s.Newest.Add(-s.Span).UnixMilli()), float64(s.Span.Milliseconds())/float64(s.Count)
	for i := range s.Count {
		number := uint64(i) % pairs
		if !s.EachOnce {
			number = rng.Uint64N(pairs)
		}
		t := s.pair(number)
		t.Amount = 1 + rng.Uint32N(maxAmount)
		at = min(at+gap*rng.ExpFloat64(), float64(s.Newest.UnixMilli()))
		if err := put(rng.IntN(cities), t, int64(at)); err != nil {
			return err
		}
	}
	return nil
}

// pair returns the accounts of a pair; accounts are numbered from 1.
func (s Set) pair(number uint64) transaction.Transaction {
	if s.Sources == s.Targets {
		source := uint32(number / uint64(s.Targets-1))
		target := uint32(number % uint64(s.Targets-1))
		if target >= source {
			target++
		}
		return transaction.Transaction{Source: source + 1, Target: target + 1}
	}
	return transaction.Transaction{
		Source: uint32(number/uint64(s.Targets)) + 1,
		Target: s.Sources + uint32(number%uint64(s.Targets)) + 1,
	}
}

// Size returns the mean number of bytes of a record's key and value together.
func (s Set) Size() int {
	const sample = 10_000
	some := s
	some.Count = min(s.Count, sample)
	bytes := 0
	_ = some.Each(func(_ int, t transaction.Transaction, _ int64) error { // the function below never fails
		bytes += len(t.Pair().AppendKey(nil)) + len(t.AppendValue(nil))
		return nil
	})
	return bytes / int(max(1, some.Count))
}

// String names the set in a few words.
func (s Set) String() string {
	return Grouped(s.Count) + " transactions between " + Grouped(s.Pairs()) + " pairs"
}

// Grouped writes a number with commas.
func Grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
