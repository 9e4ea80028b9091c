// Package transaction is the wire format of fintrans: what a record in a city's
// topic says, which partition it belongs to, and why a record is not good.
//
// It is pure: no clock, no Kafka, no logging.
package transaction

import "strconv"

// Transaction is one transfer of money between two accounts.
type Transaction struct {
	Source uint32 // account that pays
	Target uint32 // account that is paid
	Amount uint32 // dollars
}

// Pair identifies a source and a target account, in that order.
type Pair uint64

// Pair returns the accounts between which the money moves.
func (t Transaction) Pair() Pair { return PairOf(t.Source, t.Target) }

// PairOf packs two accounts into one comparable word.
func PairOf(source, target uint32) Pair { return Pair(source)<<32 | Pair(target) }

// Source returns the account that pays.
func (p Pair) Source() uint32 { return uint32(p >> 32) }

// Target returns the account that is paid.
func (p Pair) Target() uint32 { return uint32(p) }

// AppendKey appends a record's key, "source target", to dst.
func (p Pair) AppendKey(dst []byte) []byte {
	dst = strconv.AppendUint(dst, uint64(p.Source()), 10)
	dst = append(dst, ' ')
	return strconv.AppendUint(dst, uint64(p.Target()), 10)
}

// AppendValue appends a record's value, "source target amount", to dst.
func (t Transaction) AppendValue(dst []byte) []byte {
	dst = t.Pair().AppendKey(dst)
	dst = append(dst, ' ')
	return strconv.AppendUint(dst, uint64(t.Amount), 10)
}

// Cities returns the names of the five cities, which are also the names of
// their topics, in the order in which they are shown.
func Cities() []string { return []string{"London", "NYC", "SF", "Moscow", "Tokyo"} }

// FNV-1a with 32 bits, the hash of sarama's default partitioner.
const (
	fnvOffset = 2166136261
	fnvPrime  = 16777619
)

// Partition returns the partition, out of the given number (at least 1), to
// which sarama's hash partitioner sends a record with this key. All that moves
// between two accounts is therefore in one partition number of every topic.
func Partition(key []byte, partitions int32) int32 {
	hash := uint32(fnvOffset)
	for _, b := range key {
		hash = (hash ^ uint32(b)) * fnvPrime
	}
	// The hash is taken as a signed number, and the sign of the remainder is dropped.
	partition := int32(hash) % partitions
	if partition < 0 {
		return -partition
	}
	return partition
}
