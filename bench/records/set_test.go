package records_test

import (
	"testing"
	"time"

	"fintrans/bench/records"
	"fintrans/internal/transaction"
)

func TestSetsThatAreDescribedAlikeAreTheSame(t *testing.T) {
	t.Parallel()
	set := records.Set{Count: 1000, Sources: 100, Targets: 100, Newest: time.UnixMilli(2_000_000), Span: time.Second}
	type record struct {
		city   int
		t      transaction.Transaction
		millis int64
	}
	all := func() (list []record) {
		if err := set.Each(func(city int, t transaction.Transaction, millis int64) error {
			list = append(list, record{city, t, millis})
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return list
	}
	first, second := all(), all()
	before := int64(1_999_000)
	if len(first) != 1000 || len(second) != 1000 {
		t.Fatalf("got %d and %d transactions, want 1000", len(first), len(second))
	}
	for i, r := range first {
		switch {
		case r != second[i]:
			t.Fatalf("transaction %d is %v, then %v", i, r, second[i])
		case r.millis < before, r.millis > set.Newest.UnixMilli():
			t.Errorf("transaction %d is at %d, want it from %d to %d", i, r.millis, before, set.Newest.UnixMilli())
		case r.t.Source == r.t.Target, r.t.Source < 1, r.t.Source > 100, r.t.Target < 1, r.t.Target > 100:
			t.Errorf("transaction %d is between %d and %d, want two different ones of 100 accounts", i, r.t.Source, r.t.Target)
		}
		before = r.millis
	}
	if before < 1_999_800 {
		t.Errorf("the last transaction is at %d, want it at about %d", before, set.Newest.UnixMilli())
	}
}

func TestEachPairOnce(t *testing.T) {
	t.Parallel()
	for _, set := range []records.Set{
		{Sources: 40, Targets: 40, EachOnce: true},
		{Sources: 10, Targets: 100, EachOnce: true},
	} {
		set.Count = set.Pairs()
		seen := map[transaction.Pair]bool{}
		if err := set.Each(func(_ int, t transaction.Transaction, _ int64) error {
			seen[t.Pair()] = true
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if int64(len(seen)) != set.Pairs() {
			t.Errorf("%v: %d different pairs", set, len(seen))
		}
	}
}

func TestGrouped(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1000: "-1,000", -100: "-100", 12_345_678: "12,345,678"} {
		if got := records.Grouped(n); got != want {
			t.Errorf("%d is written %s, want %s", n, got, want)
		}
	}
}
