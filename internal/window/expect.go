package window

// crowd is how many pairs fit into a processor's caches, about: of fewer, Expect has nothing to fetch.
const crowd = 10_000

// Expect fetches into the processor's caches what Observe and Load are about to need of these pairs, and changes
// nothing. Of a million pairs nearly each look at one waits for memory, several times and one after the other. Here many pairs are
// looked at in a row, each time for one thing that was found by the look before, and none waits for another. A few
// hundred at a time are right: what was fetched has to stay there.
func (w *Window) Expect(pairs []uint64) {
	if w.length == 0 || w.store.pairs.count < crowd {
		return
	}
	index, all := &w.store.index, &w.store.pairs
	x := &w.expected
	x.ids = x.ids[:0]
	for _, key := range pairs {
		x.ids = append(x.ids, index.home(index.hash(key)))
	}
	for i, home := range x.ids {
		x.ids[i] = index.slots[home] & index.mask()
	}
	for _, number := range x.ids {
		if number != 0 { // of the pair, mostly
			x.seen += all.at(number - 1).key
		}
	}
	x.newest = x.newest[:0]
	for _, key := range pairs {
		if id, ok := w.store.find(key); ok {
			p := all.at(id)
			if n := p.slots(p.n); n > 0 {
				x.newest = append(x.newest, &w.store.pool(n).block(p.block)[n-1])
			}
		}
	}
	for _, slot := range x.newest {
		x.seen += *slot
	}
	clear(x.newest) // nothing is kept for it
}

// expected is scratch of Expect.
type expected struct {
	ids    []uint32  // where the pairs should be in the index, then what stands there
	newest []*uint64 // the last slot of each
	seen   uint64    // what was read, so that the compiler does not leave the reading out
}
