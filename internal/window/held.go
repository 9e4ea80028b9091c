package window

// add stores one record of a settled pair, in its place.
func (w *Window) add(id uint32, r record) {
	w.makeRoom(id, r.at)
	p := w.store.pairs.at(id)
	newest := r.at
	if p.n > 0 {
		held := w.store.records(p)
		newest = max(newest, held.time(held.n-1))
	}
	if r.at > newest-w.length {
		p.sum += uint64(r.amount)
	} else {
		p.head++
	}
	w.store.resize(id, p.slots(p.n+1))
	p.n++
	held := w.store.records(p)
	held.n--
	i := held.n
	if r.at < newest {
		i = held.after(r.at)
		held.shift(i)
	}
	held.set(i, r)
	p.addTag(r.tag)
	w.count(r.at)
}

// append stores one record behind the others of its pair, whatever its time.
func (w *Window) append(id uint32, r record) {
	w.makeRoom(id, r.at)
	p := w.store.pairs.at(id)
	w.store.resize(id, p.slots(p.n+1))
	p.n++
	held := w.store.records(p)
	held.set(held.n-1, r)
	p.addTag(r.tag)
	w.count(r.at)
}

// count takes note of a record stored.
func (w *Window) count(at int64) {
	w.records++
	w.added++
	w.newest = max(w.newest, at)
	w.ages.add(at)
}

// settle makes a pair ready to be judged after Load: sorts it and finds its head and sum.
func (w *Window) settle(id uint32) {
	p := w.store.pairs.at(id)
	if !p.has(flagLoaded) {
		return
	}
	p.clear(flagLoaded)
	held := w.store.records(p)
	held.sort()
	head := held.after(held.time(held.n-1) - w.length)
	p.head, p.sum = uint32(head), 0
	for i := head; i < held.n; i++ {
		p.sum += held.amount(i)
	}
}

// makeRoom makes sure that a record at the given time can be written in the pair's form. What has been
// forgotten is dropped when that form has to change: it must not make the span look wide. That is rare:
// a pair that lives on moves on by days before it happens.
func (w *Window) makeRoom(id uint32, at int64) {
	p := w.store.pairs.at(id)
	if p.n == 0 {
		p.meta = formFor(at, at).meta
	}
	if p.takes(at) {
		return
	}
	w.settle(id)
	w.drop(id, w.store.records(p), at)
}

// drop removes the forgotten records of a settled pair and chooses the form that fits what remains and
// a record at the given time.
func (w *Window) drop(id uint32, held records, at int64) {
	p := w.store.pairs.at(id)
	w.advance(p, held, held.time(held.n-1))
	first := held.after(w.forgotten)
	for i := range first {
		w.ages.remove(held.time(i))
	}
	w.records -= first
	p.head -= uint32(first)

	oldest, newest := at, at
	if first < held.n {
		oldest, newest = min(at, held.time(first)), max(at, held.time(held.n-1))
	}
	form := formFor(oldest, newest)
	if p.has(flagWide) == form.has(flagWide) && p.takes(oldest) && p.takes(newest) {
		w.store.dropFirst(id, first)
		return
	}
	w.rewrite(id, held, first, form)
}

// rewrite gives a pair another form, without its records before first.
func (w *Window) rewrite(id uint32, held records, first int, form pair) {
	kept := make([]record, 0, held.n-first)
	for i := first; i < held.n; i++ {
		kept = append(kept, record{at: held.time(i), amount: uint32(held.amount(i)), tag: held.tag(i)})
	}
	p, n := w.store.pairs.at(id), uint32(len(kept))
	w.store.resize(id, form.slots(n))
	p.n, p.meta = n, form.meta
	held = w.store.records(p)
	for i, r := range kept {
		held.set(i, r)
		p.addTag(r.tag)
	}
}
