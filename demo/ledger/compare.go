package ledger

import (
	"fmt"
	"maps"
	"slices"
)

// nanosPerMilli is also the number after which the offset's share of a point's time begins again.
const nanosPerMilli = 1_000_000

// Account is what should be in InfluxDB and what is.
type Account struct {
	start, end Position
	since      int64         // milliseconds since 1970
	expected   map[key]int64 // amount
	appended   map[string]Volume
	older      map[string]Volume // than since
	stored     map[string]Volume
	found      int64 // of those expected
	surplus    int64 // points that no record stands for
	wrong      []string
}

// key is where a transaction's point has to be.
type key struct {
	city      string
	partition int32
	nanos     int64
}

// NewAccount makes the account of the records that were appended in [start, end). Those whose time is
// before since, in milliseconds since 1970, are counted and not looked for: InfluxDB keeps an hour.
func NewAccount(start, end Position, since int64) *Account {
	return &Account{
		start: start, end: end, since: since, expected: map[key]int64{},
		appended: map[string]Volume{}, older: map[string]Volume{}, stored: map[string]Volume{},
	}
}

// Expect adds a record: its point has the record's time, in milliseconds, and its offset modulo a million
// as nanoseconds.
func (a *Account) Expect(r Record) {
	amount := int64(r.Amount)
	a.appended[r.City] = a.appended[r.City].plus(amount)
	if r.At < a.since {
		a.older[r.City] = a.older[r.City].plus(amount)
		return
	}
	a.expected[key{r.City, r.Partition, r.At*nanosPerMilli + r.Offset%nanosPerMilli}] = amount
}

// Recount forgets the points found so far.
func (a *Account) Recount() {
	clear(a.stored)
	a.found, a.surplus, a.wrong = 0, 0, nil
}

// Find adds a point. One of other records than those in [start, end) is left out: its time tells. All
// whose offset is of that range count, also those that no record stands for.
func (a *Account) Find(p Point) {
	amount, expected := a.expected[key{p.City, p.Partition, p.Nanos}]
	if !expected && !a.within(p) {
		return
	}
	a.stored[p.City] = a.stored[p.City].plus(p.Amount)
	if expected {
		a.found++
	} else {
		a.surplus++
	}
	switch {
	case !expected:
		a.wrong = append(a.wrong, fmt.Sprintf("InfluxDB has a point of %s/%d at %d ns that no record stands for", p.City, p.Partition, p.Nanos))
	case p.Amount != amount:
		a.wrong = append(a.wrong, fmt.Sprintf("the point of %s/%d at %d ns is worth $%d, its record $%d", p.City, p.Partition, p.Nanos, p.Amount, amount))
	}
}

// within says whether a record in [start, end) of the partition could have the point's nanosecond.
func (a *Account) within(p Point) bool {
	start, end := a.start[p.City][p.Partition], a.end[p.City][p.Partition]
	ahead := p.Nanos%nanosPerMilli - start%nanosPerMilli
	if ahead < 0 {
		ahead += nanosPerMilli
	}
	return start+ahead < end
}

// Appended is what was appended to the city's topic.
func (a *Account) Appended(city string) Volume { return a.appended[city] }

// Stored is what InfluxDB has of it.
func (a *Account) Stored(city string) Volume { return a.stored[city] }

// Older is what was appended and is too old to be looked for.
func (a *Account) Older() Volume { return total(a.older) }

// Lost is how many records have no point.
func (a *Account) Lost() int64 { return int64(len(a.expected)) - a.found }

// Surplus is how many points no record stands for.
func (a *Account) Surplus() int64 { return a.surplus }

// Total is all that was appended.
func (a *Account) Total() Volume { return total(a.appended) }

func total(volumes map[string]Volume) (sum Volume) {
	for _, v := range volumes {
		sum.Count += v.Count
		sum.Sum += v.Sum
	}
	return sum
}

// Differences says where the two differ, one line each; nothing if they do not.
func (a *Account) Differences() []string {
	cities := map[string]bool{}
	for city := range a.appended {
		cities[city] = true
	}
	for city := range a.stored {
		cities[city] = true
	}
	var lines []string
	for _, city := range slices.Sorted(maps.Keys(cities)) {
		want, got := a.appended[city].minus(a.older[city]), a.stored[city]
		if want != got {
			lines = append(lines, fmt.Sprintf("%s: %d transactions of $%d were appended, InfluxDB has %d points of $%d",
				city, want.Count, want.Sum, got.Count, got.Sum))
		}
	}
	const most = 5 // they say enough
	return append(lines, a.wrong[:min(most, len(a.wrong))]...)
}
