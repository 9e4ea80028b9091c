package window

// With Length 0 a pair has a sum and, in place of records, one block of three slots.
const (
	totalCount = iota // number of transactions, and in the low 8 bits the set of their tags
	totalFirst        // time of the oldest
	totalLast         // time of the newest
	totalSlots
)

// observeTotal is Observe with Length 0: f never falls, so a pair has one episode at most, which begins
// when its total passes the threshold.
func (w *Window) observeTotal(key uint64, r record) (Alert, bool) {
	id := w.addTotal(key, r)
	p := w.store.pairs.at(id)
	before := p.sum - uint64(r.amount)
	if p.sum <= w.threshold || !w.every && before > w.threshold {
		return Alert{}, false
	}
	held := w.store.records(p)
	last := int64(held.slots[totalLast])
	return Alert{
		Total:     p.sum,
		At:        last,
		Transfers: int(held.slots[totalCount] >> 8),
		First:     int64(held.slots[totalFirst]),
		Last:      last,
		Tags:      uint8(held.slots[totalCount]),
	}, true
}

// addTotal adds a record to the total of its pair.
func (w *Window) addTotal(key uint64, r record) uint32 {
	id, known := w.store.find(key)
	if !known {
		id = w.store.create(key)
		w.store.resize(id, totalSlots)
		p := w.store.pairs.at(id)
		p.n = totalSlots
		held := w.store.records(p)
		held.slots[totalCount] = 0
		held.slots[totalFirst], held.slots[totalLast] = uint64(r.at), uint64(r.at)
	}
	p := w.store.pairs.at(id)
	p.sum += uint64(r.amount)
	slots := w.store.records(p).slots
	slots[totalCount] = (slots[totalCount] + 1<<8) | 1<<r.tag
	slots[totalFirst] = min(slots[totalFirst], uint64(r.at))
	slots[totalLast] = max(slots[totalLast], uint64(r.at))
	return id
}
