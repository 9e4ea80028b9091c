package window_test

import (
	"slices"

	"fintrans/internal/window"
)

// The oracle is slow and obviously correct: it keeps every transaction in one list and, for each one
// that comes, computes f at every instant at which it changes, from all of them. It shares no code with
// the package.

type transfer struct {
	pair   uint64
	amount uint32
	at     int64
	tag    uint8
}

type oracle struct {
	config    window.Config
	held      []transfer
	forgotten int64
}

func newOracle(c window.Config) *oracle { return &oracle{config: c, forgotten: -1} }

// span is an interval [from, to) in which f is above the threshold, with its largest value and the first
// instant of it.
type span struct {
	from, to int64
	largest  uint64
	at       int64
}

const forever = int64(1) << 61

func (o *oracle) length() int64 {
	if o.config.Length == 0 {
		return forever
	}
	return o.config.Length
}

func (o *oracle) forget(before int64) {
	if o.config.Length == 0 {
		return
	}
	o.forgotten = max(o.forgotten, before)
	o.held = slices.DeleteFunc(o.held, func(t transfer) bool { return t.at <= o.forgotten })
}

func (o *oracle) load(t transfer) {
	if o.config.Length == 0 || t.at > o.forgotten {
		o.held = append(o.held, t)
	}
}

func (o *oracle) observe(t transfer) (window.Alert, bool) {
	before := o.of(t.pair)
	after := append(slices.Clone(before), t)
	o.load(t)

	var best span
	for _, s := range candidates(o.config, before, after, t, o.length()) {
		if s.largest > best.largest {
			best = s
		}
	}
	if best.largest == 0 {
		return window.Alert{}, false
	}
	return describe(after, best.at, o.length()), true
}

// candidates are the spans that the transaction t, which makes after of before, may alert for.
func candidates(c window.Config, before, after []transfer, t transfer, length int64) []span {
	if c.Every {
		// All of the time in which t counts, as one span, if it is over at all.
		s := span{}
		for _, instant := range instants(after, length) {
			if f := sum(after, instant, length); t.at <= instant && instant < t.at+length && f > c.Threshold && f > s.largest {
				s = span{largest: f, at: instant}
			}
		}
		return []span{s}
	}
	var created []span
	old := episodes(before, c.Threshold, length)
	for _, s := range episodes(after, c.Threshold, length) {
		touches := func(e span) bool { return s.from <= e.to && e.from <= s.to }
		if !slices.ContainsFunc(old, touches) {
			created = append(created, s)
		}
	}
	return created
}

func (o *oracle) of(pair uint64) []transfer {
	var ts []transfer
	for _, t := range o.held {
		if t.pair == pair {
			ts = append(ts, t)
		}
	}
	return ts
}

// sum is f(at): of the transactions in (at-length, at].
func sum(ts []transfer, at, length int64) uint64 {
	var f uint64
	for _, t := range ts {
		if at-length < t.at && t.at <= at {
			f += uint64(t.amount)
		}
	}
	return f
}

// instants are those at which f may change, in order.
func instants(ts []transfer, length int64) []int64 {
	var all []int64
	for _, t := range ts {
		all = append(all, t.at, t.at+length)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// episodes are the maximal intervals with f above the threshold.
func episodes(ts []transfer, threshold uint64, length int64) []span {
	var spans []span
	points := instants(ts, length)
	for i, from := range points {
		f := sum(ts, from, length)
		if f <= threshold {
			continue
		}
		to := points[i+1] // f is 0 from the last instant on
		if n := len(spans); n > 0 && spans[n-1].to == from {
			spans[n-1].to = to
			if f > spans[n-1].largest {
				spans[n-1].largest, spans[n-1].at = f, from
			}
			continue
		}
		spans = append(spans, span{from: from, to: to, largest: f, at: from})
	}
	return spans
}

func describe(ts []transfer, at, length int64) window.Alert {
	if length == forever {
		for _, t := range ts {
			at = max(at, t.at) // f never falls: the newest instant, even if what came then is 0
		}
	}
	a := window.Alert{Total: sum(ts, at, length), At: at, First: forever}
	for _, t := range ts {
		if at-length < t.at && t.at <= at {
			a.Transfers++
			a.First, a.Last = min(a.First, t.at), max(a.Last, t.at)
			a.Tags |= 1 << t.tag
		}
	}
	return a
}
