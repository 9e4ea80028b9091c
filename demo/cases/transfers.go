package cases

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"

	"fintrans/demo/harness"
	"fintrans/demo/oracle"
)

// flow describes random transactions.
type flow struct {
	seed     uint64
	number   int
	accounts int           // so that there are accounts * (accounts - 1) pairs
	largest  int           // amount
	span     time.Duration // from the first to the last, which is a moment ago
	weights  []int         // of the cities, in their order
	jitter   time.Duration // how much later than its turn a transaction may be in its log
}

// transactions draws them, in the order of the log: that of their times, but for the jitter.
func (f flow) transactions() []harness.Record {
	random := rand.New(rand.NewPCG(f.seed, 0))
	type timed struct {
		harness.Record
		turn time.Time
	}
	begin := time.UnixMilli(time.Now().Add(-f.span).UnixMilli())
	drawn := make([]timed, f.number)
	for i := range drawn {
		at := begin.Add(time.Duration(random.Int64N(f.span.Milliseconds())) * time.Millisecond)
		source := random.IntN(f.accounts)
		target := (source + 1 + random.IntN(f.accounts-1)) % f.accounts
		record := harness.Transfer(f.city(random), at, uint32(source), uint32(target), uint32(1+random.IntN(f.largest)))
		late := time.Duration(0)
		if f.jitter > 0 {
			late = time.Duration(random.Int64N(f.jitter.Milliseconds())) * time.Millisecond
		}
		drawn[i] = timed{record, at.Add(late)}
	}
	slices.SortStableFunc(drawn, func(a, b timed) int { return a.turn.Compare(b.turn) })
	records := make([]harness.Record, len(drawn))
	for i, d := range drawn {
		records[i] = d.Record
	}
	return records
}

// boundaries are pairs of transactions that are together over the rule's threshold if they are less than
// its window apart, and are so by a millisecond, are not, or are not by a millisecond. They are mixed into
// the records, which are in the order of their times.
func boundaries(rule oracle.Rule, records []harness.Record) []harness.Record {
	mixed := slices.Clone(records)
	amount := uint32(rule.Threshold/2 + 1)
	for i := range uint32(90) {
		first := records[0].Time.Add(time.Duration(i) * time.Second)
		second := first.Add(time.Duration(rule.Window+int64(i%3)-1) * time.Millisecond)
		source, target := 1000+i, 2000+i
		mixed = append(mixed, harness.Transfer("London", first, source, target, amount), harness.Transfer("London", second, source, target, amount))
	}
	slices.SortStableFunc(mixed, func(a, b harness.Record) int { return a.Time.Compare(b.Time) })
	return mixed
}

// city draws a city by the weights.
func (f flow) city(random *rand.Rand) string {
	total := 0
	for _, weight := range f.weights {
		total += weight
	}
	draw := random.IntN(total)
	for i, weight := range f.weights {
		if draw < weight {
			return harness.Cities()[i]
		}
		draw -= weight
	}
	panic("unreachable: the draw is below the total")
}

// transfers are what the oracle needs to know of good records.
func transfers(records []harness.Record) []oracle.Transfer {
	known := make([]oracle.Transfer, len(records))
	for i, r := range records {
		known[i] = fields(r.Value)
		known[i].At = r.Time.UnixMilli()
	}
	return known
}

// fields reads the value of a good record; it panics when it is not good.
func fields(value []byte) oracle.Transfer {
	t, ok := oracle.ParseTransfer(value)
	if !ok {
		panic("not the value of a transaction: " + string(value))
	}
	return t
}

// volumes are the sums per city of good records.
func volumes(records []harness.Record) map[string]harness.Volume {
	sums := map[string]harness.Volume{}
	for _, r := range records {
		sum := sums[r.City]
		sum.Count++
		sum.Sum += int64(fields(r.Value).Amount)
		sums[r.City] = sum
	}
	return sums
}

// inOrder returns the alerts of each pair in the order given, sorted by pair: detectors keep the
// order within a partition alone.
func inOrder(alerts []oracle.Alert) []oracle.Alert {
	return slices.SortedStableFunc(slices.Values(alerts), func(a, b oracle.Alert) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Target, b.Target))
	})
}
