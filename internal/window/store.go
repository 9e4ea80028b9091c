package window

import "unsafe"

const (
	pairBytes    = int64(unsafe.Sizeof(pair{}))
	pageBytes    = int64(unsafe.Sizeof(page{}))
	poolBytes    = int64(unsafe.Sizeof(pool{}))
	pairsPerPage = 256
)

// store keeps the pairs and their records in few large pieces without pointers, so that the garbage
// collector has next to nothing to do however many there are: the pairs are numbered densely, the
// records of each are one block of a pool, and an index leads from the key to the number.
type store struct {
	index index
	pairs pairs
	pools []pool
}

func newStore() store { return store{index: newIndex()} }

// pairs is a dense list; numbers change only when a pair is removed.
type pairs struct {
	pages [][]pair
	count uint32
}

func (p *pairs) at(id uint32) *pair {
	return &p.pages[id/pairsPerPage][id%pairsPerPage]
}

// add appends a pair and returns its number.
func (p *pairs) add(key uint64) uint32 {
	id := p.count
	if int(id/pairsPerPage) == len(p.pages) {
		p.pages = append(p.pages, make([]pair, pairsPerPage))
	}
	p.count++
	*p.at(id) = pair{key: key}
	return id
}

// dropLast shortens the list by one; like a pool it keeps one empty page.
func (p *pairs) dropLast() {
	p.count--
	if keep := int((p.count+pairsPerPage-1)/pairsPerPage) + 1; keep < len(p.pages) {
		p.pages = cut(p.pages, keep)
	}
}

func (s *store) find(key uint64) (uint32, bool) { return s.index.find(key, &s.pairs) }

// create adds a pair that the store does not have, without records.
func (s *store) create(key uint64) uint32 {
	id := s.pairs.add(key)
	if s.index.full(int(s.pairs.count)) {
		s.reindex()
	} else {
		s.index.add(key, id)
	}
	return id
}

// reindex builds the index anew for the pairs that there are.
func (s *store) reindex() {
	s.index.clear(int(s.pairs.count))
	for id := range s.pairs.count {
		s.index.add(s.pairs.at(id).key, id)
	}
}

// remove takes a pair out and gives its number to the last one. Without indexed, the index is left
// alone: reindex must follow before it is used.
func (s *store) remove(id uint32, indexed bool) {
	s.resize(id, 0)
	p, last := s.pairs.at(id), s.pairs.count-1
	if indexed {
		s.index.remove(p.key, id, &s.pairs)
	}
	if id != last {
		moved := s.pairs.at(last)
		if indexed {
			s.index.renumber(moved.key, last, id)
		}
		if n := moved.slots(moved.n); n > 0 {
			*s.pools[sizeClass(n)].owner(moved.block) = id
		}
		*p = *moved
	}
	s.pairs.dropLast()
}

// pool returns the pool for n slots, n > 0.
func (s *store) pool(n int) *pool {
	class := sizeClass(n)
	for len(s.pools) <= class {
		s.pools = append(s.pools, pool{})
	}
	p := &s.pools[class]
	if p.size == 0 {
		*p = newPool(class)
	}
	return p
}

// resize sets how many slots the pair has to n and keeps what is in them, as far as it fits. It does
// not touch p.n, which must tell the size before; the caller sets it to the new one.
func (s *store) resize(id uint32, n int) {
	p := s.pairs.at(id)
	old := p.slots(p.n)
	if old > 0 && n > 0 && sizeClass(old) == sizeClass(n) {
		return
	}
	from := p.block
	if n > 0 {
		to := s.pool(n)
		p.block = to.take(id)
		if old > 0 {
			copy(to.block(p.block), s.pool(old).block(from))
		}
	}
	if old > 0 {
		if owner, moved := s.pool(old).free(from); moved {
			s.pairs.at(owner).block = from
		}
	}
}

// dropFirst removes the first n records of a pair, and their tags where no other has them.
func (s *store) dropFirst(id uint32, n int) {
	p := s.pairs.at(id)
	held := s.records(p)
	keep := held.n - n
	copy(held.slots, held.slots[p.slots(uint32(n)):p.slots(p.n)])
	s.resize(id, p.slots(uint32(keep)))
	p.n = uint32(keep)
	p.meta &^= allTags
	held = s.records(p)
	for i := range keep {
		p.addTag(held.tag(i))
	}
}

// trim gives back the pages that empty pools keep.
func (s *store) trim() {
	for i := range s.pools {
		if s.pools[i].count == 0 {
			s.pools[i].pages = nil
		}
	}
}

// records gives access to the records of a pair, until the store changes.
func (s *store) records(p *pair) records {
	if p.n == 0 {
		return records{}
	}
	return records{
		slots: s.pool(p.slots(p.n)).block(p.block),
		base:  p.base(),
		n:     int(p.n),
		wide:  p.has(flagWide),
	}
}

// bytes is what the store has taken from the allocator.
func (s *store) bytes() int64 {
	sum := 4*int64(len(s.index.slots)) +
		int64(len(s.pairs.pages))*pairsPerPage*pairBytes + int64(cap(s.pairs.pages))*24 +
		int64(cap(s.pools))*poolBytes
	for i := range s.pools {
		p := &s.pools[i]
		sum += int64(len(p.pages))*int64(p.perPage)*int64(8*p.size+4) + int64(cap(p.pages))*pageBytes
	}
	return sum
}
