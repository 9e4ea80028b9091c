package window

// trimFrom is how many records have to be held for the pages of empty pools to be worth giving back: in
// a small window the next pair that grows would take them again at once.
const trimFrom = 1 << 14

// sweep frees what has been forgotten. It looks at the oldest record of each pair and costs, amortised,
// O(1) for each record, because Forget calls it only when a share of them has expired. When many pairs
// will go it builds the index anew at the end instead of taking each of them out.
func (w *Window) sweep(many bool) {
	for id := uint32(0); id < w.store.pairs.count; {
		w.settle(id)
		held := w.store.records(w.store.pairs.at(id))
		switch {
		case held.time(held.n-1) <= w.forgotten:
			w.remove(id, held, many) // the last pair has its number now
			continue
		case held.time(0) <= w.forgotten:
			w.drop(id, held, held.time(held.n-1))
		}
		id++
	}
	if many || w.store.index.sparse(int(w.store.pairs.count)) {
		w.store.reindex()
	}
	if w.records >= trimFrom {
		w.store.trim()
	}
	w.added, w.swept = 0, w.records
}

// remove takes out a pair that has no record left.
func (w *Window) remove(id uint32, held records, many bool) {
	for i := range held.n {
		w.ages.remove(held.time(i))
	}
	w.records -= held.n
	w.store.remove(id, !many)
}

// reset empties the window at once.
func (w *Window) reset() {
	if w.records == 0 {
		return
	}
	w.store = newStore()
	w.ages = ages{}
	w.records, w.added, w.swept = 0, 0, 0
}
