// Package window adds up what each source sends to each target within a sliding window and tells
// which transaction takes a pair over a threshold.
//
// For a pair, f(T) is the sum of its transactions with a time in (T-Length, T], for every instant T:
// a transaction at t raises f on [t, t+Length). An episode is a maximal interval in which f is above
// the threshold. Adding a transaction only raises f, so episodes only appear, grow and join: whether a
// transaction alerts depends on the set of transactions held and on nothing else. There is no flag to
// remember, so the state can be rebuilt silently, in any order, from the transactions alone.
//
// The package has no clock: times are those of the transactions, in Unix milliseconds, from 0 (1970) to
// beyond the year 9999, in any order.
package window

// maxLength is longer than any two times are apart, and small enough for times to be added to it.
const maxLength = 1 << 60

// Config says when a Window alerts.
type Config struct {
	// Threshold is the sum that has to be exceeded: a sum equal to it does not alert.
	Threshold uint64
	// Length of the window in milliseconds; 0 stands for everything since the beginning. Then only
	// sums are kept, and nothing is ever forgotten.
	Length int64
	// Every makes each transaction alert that is part of a sum above the threshold, not only the one
	// that begins an episode.
	Every bool
}

// Alert describes the largest sum that a transaction takes over the threshold.
type Alert struct {
	Total     uint64 // largest f of the episode; with Config.Every, while the transaction counts
	At        int64  // first instant of that largest f
	Transfers int    // number of transactions that make up Total: those in (At-Length, At]
	First     int64  // time of the oldest of them
	Last      int64  // time of the newest of them
	Tags      uint8  // their tags, as a set: bit i stands for tag i
}

// Size is what a Window holds in memory.
type Size struct {
	Pairs int // pairs with at least one transaction
	// Records is the number of transactions held. Forgotten ones may be among them until they make up
	// an eighth of the rest. With Length 0 no single transactions are held and it is 0.
	Records int
	Bytes   int64 // memory taken, in bytes: capacities, not contents
}

// Window holds the transactions of many pairs. It is not safe for concurrent use.
type Window struct {
	threshold uint64
	length    int64
	every     bool
	store     store
	forgotten int64 // transactions at or before it are not held
	newest    int64 // no transaction held is newer
	records   int   // in the store, forgotten ones that are not swept yet included
	ages      ages
	added     int // transactions stored since the last sweep
	swept     int // what was in the store after it

	expected expected
}

// New returns an empty Window. A negative Length is the same as 0.
func New(c Config) *Window {
	return &Window{
		threshold: c.Threshold,
		length:    min(max(c.Length, 0), maxLength),
		every:     c.Every,
		store:     newStore(),
		forgotten: -1,
		newest:    -1,
	}
}

// Observe adds one transaction and returns the alert that it sets off, if any. Transactions of a pair
// may come in any order. In order the cost is O(1), amortised; a late one costs the transactions of
// its pair within Length of it. A transaction that Forget has passed already is judged by what is
// still held and then not kept. The tag, 0 to 7, comes back in Alert.Tags.
func (w *Window) Observe(pair uint64, amount uint32, at int64, tag uint8) (Alert, bool) {
	r := record{at: at, amount: amount, tag: tag & maxTag}
	if w.length == 0 {
		return w.observeTotal(pair, r)
	}
	id, known := w.store.find(pair)
	if !known {
		if at > w.forgotten {
			w.add(w.store.create(pair), r)
		}
		return w.judgeInOrder(nil, records{}, r)
	}
	w.settle(id)
	p := w.store.pairs.at(id)
	held := w.store.records(p)
	var alert Alert
	var alerts bool
	if held.n == 0 || at >= held.time(held.n-1) {
		alert, alerts = w.judgeInOrder(p, held, r)
	} else if !w.stayBelow(p, held, r) {
		alert, alerts = w.judgeLate(p.tags(), held, r)
	}
	if at > w.forgotten {
		w.add(id, r)
	}
	return alert, alerts
}

// Load adds one transaction without judging it: afterwards the Window is as if it had observed it.
// It is for rebuilding: any order is cheap, because a pair is sorted once, when it is next looked at.
func (w *Window) Load(pair uint64, amount uint32, at int64, tag uint8) {
	r := record{at: at, amount: amount, tag: tag & maxTag}
	if w.length == 0 {
		w.addTotal(pair, r)
		return
	}
	if at <= w.forgotten {
		return
	}
	id, known := w.store.find(pair)
	if !known {
		id = w.store.create(pair)
	}
	w.append(id, r)
	w.store.pairs.at(id).setFlag(flagLoaded)
}

// Forget lets go of the transactions at or before the given time: from now on they count for nothing.
// Their memory is freed once they make up an eighth of what is held. A time lower than an earlier one
// changes nothing, and neither does any with Length 0.
//
// A transaction at t is judged exactly while everything from t-Length on is held, that instant
// included: it tells whether f was above the threshold just before t. So when no transaction older
// than low is to come, Forget(low-Length-1) changes no alert, whereas Forget(low-Length) may repeat one.
func (w *Window) Forget(before int64) {
	if w.length == 0 || before <= w.forgotten {
		return
	}
	w.forgotten = before
	if before >= w.newest {
		w.reset()
		return
	}
	expired := w.ages.expired(before)
	if expired > 0 && expired >= (w.records-expired)/8 || w.added > w.swept {
		w.sweep(expired > w.records/4)
	}
}

// Size tells what the Window holds.
func (w *Window) Size() Size {
	return Size{
		Pairs:   int(w.store.pairs.count),
		Records: w.records,
		Bytes:   w.store.bytes() + w.ages.bytes(),
	}
}
