package window

// maxAges is how many intervals of time are counted apart.
const maxAges = 1024

// ages counts the records by time, so that Forget knows how many it forgets without looking at them.
// It counts by intervals of 1<<shift milliseconds, which grow so that there are never many.
type ages struct {
	counts map[int64]int
	shift  uint

	// Times come mostly in order: the interval that the last one was in is counted here.
	current int64
	pending int

	// How many records are in the intervals before until.
	until int64
	older int
}

func (a *ages) add(t int64) {
	if i := t >> a.shift; i != a.current {
		a.flush()
		a.current = t >> a.shift
	}
	a.pending++
}

func (a *ages) remove(t int64) {
	i := t >> a.shift
	if i == a.current && a.pending > 0 {
		a.pending--
		return
	}
	if i < a.until {
		a.older--
	}
	if a.counts[i]--; a.counts[i] == 0 {
		delete(a.counts, i)
	}
}

func (a *ages) flush() {
	if a.pending == 0 {
		return
	}
	if a.counts == nil {
		a.counts = make(map[int64]int)
	}
	a.counts[a.current] += a.pending
	if a.current < a.until {
		a.older += a.pending
	}
	a.pending = 0
	for len(a.counts) > maxAges {
		a.coarsen()
	}
}

// coarsen doubles the length of the intervals.
func (a *ages) coarsen() {
	a.shift++
	coarse := make(map[int64]int, len(a.counts))
	for i, n := range a.counts {
		coarse[i>>1] += n
	}
	a.counts = coarse
	a.until, a.older = 0, 0
}

// expired returns how many of the records counted are at or before t, apart from those in the same
// interval as the instant after it.
func (a *ages) expired(t int64) int {
	a.flush()
	until := (t + 1) >> a.shift
	if until == a.until {
		return a.older
	}
	a.older = a.countBefore(until)
	a.until = until
	return a.older
}

// countBefore returns how many records are in the intervals before until. Mostly it is a few intervals after the
// last one that was asked for: then only those in between are looked at.
func (a *ages) countBefore(until int64) int {
	if steps := until - a.until; steps > 0 && steps < int64(len(a.counts)) {
		n := a.older
		for i := a.until; i < until; i++ {
			n += a.counts[i]
		}
		return n
	}
	n := 0
	for i, records := range a.counts {
		if i < until {
			n += records
		}
	}
	return n
}

func (a *ages) bytes() int64 { return int64(len(a.counts)) * 40 }
