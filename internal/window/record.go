package window

import (
	"math"
	"slices"
	"sort"
)

const (
	maxTag = 7

	// A narrow record is one slot: 29 bits of milliseconds since its pair's base, 3 bits of tag and 32
	// of amount, so that the order of the slots is that of the times. A wide one is two slots: 61 bits
	// of time and 3 of tag, then the amount.
	tagShift  = 32
	timeShift = 35
	wideShift = 3

	// A pair's base is a multiple of 2^26 ms (18.6 hours), which leaves a narrow pair a span of 5.4 days
	// at least, and lets the base fit into 22 bits until the year 10889.
	baseShift = 26
	maxBase   = 1<<22 - 1
	spanBits  = 29
)

// record is one transaction of a pair.
type record struct {
	at     int64
	amount uint32
	tag    uint8
}

// pair is the state of one live pair, 32 bytes without a pointer: a cache line holds two, and the
// garbage collector need not look at any.
type pair struct {
	key   uint64
	sum   uint64 // of the records from head on
	block uint32 // where its records are, in the pool of their size
	n     uint32 // number of its records
	head  uint32 // where the window that ends at the newest begins, or before: advance moves it up
	meta  uint32 // tags (8 bits), flags (2), base (22)
}

const (
	allTags    = 1<<8 - 1
	flagLoaded = 1 << 8 // records may be unsorted, head and sum are not valid
	flagWide   = 1 << 9
	flagBits   = 10
)

func (p *pair) has(flag uint32) bool { return p.meta&flag != 0 }
func (p *pair) setFlag(flag uint32)  { p.meta |= flag }
func (p *pair) clear(flag uint32)    { p.meta &^= flag }

// tags is the set of the tags of its records, or more than that after some were dropped.
func (p *pair) tags() uint8 { return uint8(p.meta) }

func (p *pair) addTag(tag uint8) { p.meta |= 1 << tag }

func (p *pair) base() int64 { return int64(p.meta>>flagBits) << baseShift }

// slots is how many slots n records of the pair take.
func (p *pair) slots(n uint32) int {
	if p.has(flagWide) {
		return 2 * int(n)
	}
	return int(n)
}

// takes reports whether a record at the given time can be written in the pair's form.
func (p *pair) takes(at int64) bool {
	return p.has(flagWide) || uint64(at-p.base())>>spanBits == 0
}

// formFor returns an empty pair in the form for records from the oldest to the newest time.
func formFor(oldest, newest int64) pair {
	base := oldest >> baseShift
	if base > maxBase || (newest-base<<baseShift)>>spanBits != 0 {
		return pair{meta: flagWide}
	}
	return pair{meta: uint32(base) << flagBits}
}

// records reads and writes the records of one pair in whichever form they are.
type records struct {
	slots []uint64
	base  int64
	n     int
	wide  bool
}

func (r *records) time(i int) int64 {
	if r.wide {
		return int64(r.slots[2*i] >> wideShift)
	}
	return r.base + int64(r.slots[i]>>timeShift)
}

func (r *records) amount(i int) uint64 {
	if r.wide {
		return r.slots[2*i+1]
	}
	return r.slots[i] & math.MaxUint32
}

func (r *records) tag(i int) uint8 {
	if r.wide {
		return uint8(r.slots[2*i] & maxTag)
	}
	return uint8(r.slots[i] >> tagShift & maxTag)
}

func (r *records) set(i int, rec record) {
	if r.wide {
		r.slots[2*i] = uint64(rec.at)<<wideShift | uint64(rec.tag)
		r.slots[2*i+1] = uint64(rec.amount)
		return
	}
	r.slots[i] = uint64(rec.at-r.base)<<timeShift | uint64(rec.tag)<<tagShift | uint64(rec.amount)
}

// shift makes room for one record at i; the slots must have room for it.
func (r *records) shift(i int) {
	width := 1
	if r.wide {
		width = 2
	}
	copy(r.slots[(i+1)*width:], r.slots[i*width:r.n*width])
}

// after returns the index of the first record newer than t; the records must be sorted.
func (r *records) after(t int64) int {
	return sort.Search(r.n, func(i int) bool { return r.time(i) > t })
}

// sort orders the records by time.
func (r *records) sort() {
	if r.wide {
		sort.Sort(wideSlots(r.slots[:2*r.n]))
		return
	}
	slices.Sort(r.slots[:r.n])
}

type wideSlots []uint64

func (s wideSlots) Len() int           { return len(s) / 2 }
func (s wideSlots) Less(i, j int) bool { return s[2*i] < s[2*j] }
func (s wideSlots) Swap(i, j int) {
	s[2*i], s[2*j] = s[2*j], s[2*i]
	s[2*i+1], s[2*j+1] = s[2*j+1], s[2*i+1]
}
