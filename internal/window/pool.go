package window

import (
	"math/bits"
	"slices"
	"sync"
)

// pageSlots is how many slots are taken from the allocator at once, at least: 8 KiB.
const pageSlots = 1024

// sizeClass returns the number of the pool for blocks of at least n slots, n > 0. Up to 32 slots each
// even size has a pool of its own, and so has the size of one, then there are 16 to each doubling, so that
// a block has room for one slot more at most, or for a sixteenth. An odd size would save a slot in every
// other block, and have a pair that grows move each time, which takes longer than to judge it.
func sizeClass(n int) int {
	last := n - 1
	if last > 0 {
		last |= 1
	}
	step := max(bits.Len(uint(last))-5, 0)
	return step*16 + last>>step
}

// classSlots returns the size of the blocks of a pool.
func classSlots(class int) int {
	step := max(class/16-1, 0)
	return (class - step*16 + 1) << step
}

// pool holds the blocks of one size, densely: the hole that a freed one leaves is filled with the last.
// So nothing is lost to fragmentation, however the sizes of the pairs change, and memory goes back as
// soon as it is not needed. Moving the last block takes knowing whose it is: a number for each block.
type pool struct {
	size    int // slots of a block
	perPage uint32
	count   uint32
	pages   []page
}

type page struct {
	slots  []uint64
	owners []uint32 // the pair that each block belongs to
}

func newPool(class int) pool {
	perPage := 1
	if known := blocksPerPage(); class < len(known) {
		perPage = known[class]
	}
	return pool{size: classSlots(class), perPage: uint32(perPage)}
}

// blocksPerPage returns how many blocks of each class go into one page; where it ends, a page is one.
var blocksPerPage = sync.OnceValue(func() []int {
	var known []int
	for class := 0; classSlots(class) <= pageSlots; class++ {
		known = append(known, fitPage(classSlots(class)))
	}
	return known
})

// fitPage returns how many blocks go into pages of one to two times pageSlots: as many as leave
// least unused of what the allocator hands out for them, or the first number that leaves next to nothing.
func fitPage(size int) int {
	best, least := 1, 1.0
	for n := max(1, pageSlots/size); n*size <= 2*pageSlots; n++ {
		taken := cap(slices.Grow([]uint64(nil), n*size))
		if unused := float64(taken-n*size) / float64(taken); unused < least {
			best, least = n, unused
		}
		if least < 1.0/128 {
			break
		}
	}
	return best
}

// block returns the slots of a block.
func (p *pool) block(i uint32) []uint64 {
	at := int(i%p.perPage) * p.size
	return p.pages[i/p.perPage].slots[at : at+p.size : at+p.size]
}

func (p *pool) owner(i uint32) *uint32 {
	return &p.pages[i/p.perPage].owners[i%p.perPage]
}

// take adds a block for the pair and returns its number.
func (p *pool) take(owner uint32) uint32 {
	i := p.count
	if int(i/p.perPage) == len(p.pages) {
		p.pages = append(p.pages, page{
			slots:  make([]uint64, int(p.perPage)*p.size),
			owners: make([]uint32, p.perPage),
		})
	}
	p.count++
	*p.owner(i) = owner
	return i
}

// free gives a block back. When another one had to take its place, it returns the pair whose block has
// the number i now.
func (p *pool) free(i uint32) (moved uint32, ok bool) {
	last := p.count - 1
	if i != last {
		copy(p.block(i), p.block(last))
		moved, ok = *p.owner(last), true
		*p.owner(i) = moved
	}
	p.count--
	p.shrink()
	return moved, ok
}

// shrink drops the empty pages but one: a pool that goes to and fro over the edge of a page must not
// allocate each time. Large blocks are pages of their own, and none is kept empty.
func (p *pool) shrink() {
	spare := 1
	if p.perPage == 1 {
		spare = 0
	}
	keep := int((p.count+p.perPage-1)/p.perPage) + spare
	if keep < len(p.pages) {
		p.pages = cut(p.pages, keep)
	}
}

// cut shortens a list of pages, and the memory of the list itself when most of it is empty.
func cut[P any](pages []P, n int) []P {
	clear(pages[n:])
	if n < cap(pages)/4 {
		return append(make([]P, 0, 2*n), pages[:n]...)
	}
	return pages[:n]
}
