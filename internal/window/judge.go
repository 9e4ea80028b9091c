package window

// judgeInOrder judges a record that is not older than any of the pair's, before it is added. Nothing
// comes after it, so f never rises from r.at on and its value there decides. p is nil, and held empty,
// for a pair that is not known.
func (w *Window) judgeInOrder(p *pair, held records, r record) (Alert, bool) {
	var sum uint64 // f at r.at, without the record itself
	var head int
	var tags uint8
	if p != nil {
		w.advance(p, held, r.at)
		sum, head, tags = p.sum, int(p.head), p.tags()
	}
	total := sum + uint64(r.amount)
	if total <= w.threshold {
		return Alert{}, false
	}
	if !w.every && (sum > w.threshold || w.before(held, head, r.at, sum) > w.threshold) {
		return Alert{}, false
	}
	return describe(peak{total, r.at, head, held.n}, tags, held, r), true
}

// advance moves the pair's head to where it is for a newest time of at.
func (w *Window) advance(p *pair, held records, at int64) {
	limit := max(at-w.length, w.forgotten)
	head := int(p.head)
	for head < held.n && held.time(head) <= limit {
		p.sum -= held.amount(head)
		head++
	}
	p.head = uint32(head)
}

// before returns f just before at, the newest time, where sum is f at that time and head its first
// record. What is as old as the window is long has left and what came at this very time was not there
// yet. Each record is looked at once in a lifetime for either reason: f passes the threshold at most
// once at one time.
func (w *Window) before(held records, head int, at int64, sum uint64) uint64 {
	for i := head - 1; i >= 0; i-- {
		if t := held.time(i); t != at-w.length || t <= w.forgotten {
			break
		}
		sum += held.amount(i)
	}
	for i := held.n - 1; i >= head && held.time(i) == at; i-- {
		sum -= held.amount(i)
	}
	return sum
}

// peak is an instant at which the sum over (at-Length, at] is largest: that of the record judged and of
// those held in [lo, hi).
type peak struct {
	total  uint64
	at     int64
	lo, hi int
}

// run is an interval above the threshold while judgeLate walks through it.
type run struct {
	open    bool
	created bool // it touches no episode that existed without the record
	best    peak
}

// stayBelow reports that f cannot exceed the threshold wherever a record of the past counts: all that may count beside
// it is not enough. That is so for almost all pairs, and spares them the walk through their records: when a backlog
// is read, the topics come at different paces and most records are of the past.
func (w *Window) stayBelow(p *pair, held records, r record) bool {
	most := p.sum + uint64(r.amount) // of those from head on
	if p.head > 0 {
		for i := held.after(max(r.at-w.length-1, w.forgotten)); i < int(p.head); i++ {
			most += held.amount(i)
		}
	}
	return most <= w.threshold
}

// judgeLate judges a record before it is added, whatever the order. It walks through the instants at
// which f changes while the record counts, [r.at, r.at+Length), and one step to either side: an episode
// that ends or begins there is touched.
func (w *Window) judgeLate(tags uint8, held records, r record) (Alert, bool) {
	lo := held.after(max(r.at-w.length-1, w.forgotten))
	hi := lo
	var f uint64 // without the record
	for ; hi < held.n && held.time(hi) < r.at; hi++ {
		f += held.amount(hi)
	}
	touched := f > w.threshold
	end := r.at + w.length
	var current run
	var best peak
	for t := r.at; t < end; t = w.nextChange(held, lo, hi, end) {
		for ; lo < hi && held.time(lo)+w.length <= t; lo++ {
			f -= held.amount(lo)
		}
		for ; hi < held.n && held.time(hi) <= t; hi++ {
			f += held.amount(hi)
		}
		total := f + uint64(r.amount)
		if total <= w.threshold {
			best = current.close(best)
			continue
		}
		if !current.open {
			current = run{open: true, created: t > r.at || !touched}
		}
		current.created = current.created && f <= w.threshold || w.every
		if total > current.best.total {
			current.best = peak{total, t, lo, hi}
		}
	}
	for ; lo < hi && held.time(lo)+w.length <= end; lo++ {
		f -= held.amount(lo)
	}
	for ; hi < held.n && held.time(hi) <= end; hi++ {
		f += held.amount(hi)
	}
	current.created = current.created && f <= w.threshold || w.every
	if best = current.close(best); best.total == 0 {
		return Alert{}, false
	}
	return describe(best, tags, held, r), true
}

// close ends the run and returns the higher of its peak, if it was created, and the best so far.
func (c *run) close(best peak) peak {
	if c.open && c.created && c.best.total > best.total {
		best = c.best
	}
	c.open = false
	return best
}

// nextChange returns the next instant at which f changes, where [lo, hi) are the records that count
// now, or end if that is earlier.
func (w *Window) nextChange(held records, lo, hi int, end int64) int64 {
	next := end
	if hi < held.n {
		next = min(next, held.time(hi))
	}
	if lo < hi {
		next = min(next, held.time(lo)+w.length)
	}
	return next
}

// describe makes the alert for record r at its peak; tags is a superset of the tags of those held.
func describe(k peak, tags uint8, held records, r record) Alert {
	a := Alert{Total: k.total, At: k.at, Transfers: k.hi - k.lo + 1, First: r.at, Last: r.at, Tags: 1 << r.tag}
	if k.lo < k.hi {
		a.First = min(a.First, held.time(k.lo))
		a.Last = max(a.Last, held.time(k.hi-1))
	}
	// Most pairs show all of their tags among the newest few.
	for i := k.hi - 1; i >= k.lo && a.Tags|tags != a.Tags; i-- {
		a.Tags |= 1 << held.tag(i)
	}
	return a
}
