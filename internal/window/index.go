package window

import (
	"math/bits"
	"math/rand/v2"
)

const minIndexBits = 4

// index finds the number of a pair: open addressing with linear probing. A slot is four bytes: in the
// low bits the number plus one, 0 for an empty slot, and in the high bits that leaves part of the hash,
// so that a probe seldom looks at a pair in vain. The hash is seeded: senders choose the keys.
type index struct {
	slots []uint32
	bits  uint // len(slots) is 1<<bits
	seeds [2]uint64
}

func newIndex() index {
	x := index{seeds: [2]uint64{rand.Uint64(), rand.Uint64() | 1}}
	x.clear(0)
	return x
}

// clear empties the index and gives it room for n pairs.
func (x *index) clear(n int) {
	x.bits = minIndexBits
	for x.full(n) {
		x.bits++
	}
	x.slots = make([]uint32, 1<<x.bits)
}

// full reports whether n pairs are too many: more than 13/16 of the slots.
func (x *index) full(n int) bool { return n > 13<<x.bits/16 }

// sparse reports whether n pairs take less than a third of what they may.
func (x *index) sparse(n int) bool { return x.bits > minIndexBits && n < 4<<x.bits/16 }

func (x *index) hash(key uint64) uint64 {
	hi, lo := bits.Mul64(key^x.seeds[0], x.seeds[1])
	hi, lo = bits.Mul64(hi^lo^x.seeds[1], 0x9e3779b97f4a7c15)
	return hi ^ lo
}

func (x *index) home(hash uint64) uint32 { return uint32(hash >> (64 - x.bits)) }

func (x *index) mask() uint32 { return uint32(1)<<x.bits - 1 }

// entry is what stands in the slot of pair id.
func (x *index) entry(hash uint64, id uint32) uint32 { return uint32(hash)<<x.bits | (id + 1) }

// find returns the number of the pair with the key.
func (x *index) find(key uint64, all *pairs) (id uint32, ok bool) {
	hash, mask := x.hash(key), x.mask()
	part := uint32(hash) << x.bits
	for i := x.home(hash); x.slots[i] != 0; i = (i + 1) & mask {
		if s := x.slots[i]; s&^mask == part {
			if id := s&mask - 1; all.at(id).key == key {
				return id, true
			}
		}
	}
	return 0, false
}

// add enters a pair that is not in the index, which must not be full.
func (x *index) add(key uint64, id uint32) {
	hash, mask := x.hash(key), x.mask()
	i := x.home(hash)
	for x.slots[i] != 0 {
		i = (i + 1) & mask
	}
	x.slots[i] = x.entry(hash, id)
}

// slot returns where a pair of the index stands.
func (x *index) slot(key uint64, id uint32) uint32 {
	hash := x.hash(key)
	i := x.home(hash)
	for want := x.entry(hash, id); x.slots[i] != want; {
		i = (i + 1) & x.mask()
	}
	return i
}

// renumber changes the number of a pair.
func (x *index) renumber(key uint64, from, to uint32) {
	x.slots[x.slot(key, from)] = x.entry(x.hash(key), to)
}

// remove takes a pair out and moves those up that stood behind it because of it. All pairs of the index
// must still have their numbers.
func (x *index) remove(key uint64, id uint32, all *pairs) {
	mask := x.mask()
	hole := x.slot(key, id)
	for i := (hole + 1) & mask; x.slots[i] != 0; i = (i + 1) & mask {
		home := x.home(x.hash(all.at(x.slots[i]&mask - 1).key))
		if (i-home)&mask >= (i-hole)&mask {
			x.slots[hole] = x.slots[i]
			hole = i
		}
	}
	x.slots[hole] = 0
}
