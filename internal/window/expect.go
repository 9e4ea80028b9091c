package window

// crowd is how many pairs fit into a processor's caches, about: of fewer, Expect has nothing to fetch.
const crowd = 10_000

// Expect fetches into the processor's caches what Observe is about to need of these pairs, and changes nothing.
// Of a million pairs nearly each look at one waits for memory, several times and one after the other. Here many pairs are
// looked at in a row, and none waits for another. A few hundred at a time are right: what was fetched has to stay there.
func (w *Window) Expect(pairs []uint64) {
	if w.length == 0 || w.store.pairs.count < crowd {
		return
	}
	seen := uint64(0)
	for _, key := range pairs {
		seen += uint64(w.store.index.slots[w.store.index.home(w.store.index.hash(key))])
	}
	w.expected = w.expected[:0]
	for _, key := range pairs {
		if id, ok := w.store.find(key); ok {
			w.expected = append(w.expected, id)
		}
	}
	for _, id := range w.expected {
		held := w.store.records(w.store.pairs.at(id))
		if n := len(held.slots); n > 0 {
			seen += held.slots[0] + held.slots[n-1]
		}
	}
	w.seen = seen
}
