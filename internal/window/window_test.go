package window_test

import (
	"testing"

	"fintrans/internal/window"
)

const minute = 60_000

func minutes(amount uint32, at int64) transfer {
	return transfer{pair: 7, amount: amount, at: at * minute}
}

// TestEpisodes shows, on small cases, when a transaction alerts and with which total. Threshold 10,000
// and a window of 60 minutes unless the case says otherwise; totals are 0 where nothing alerts.
func TestEpisodes(t *testing.T) {
	t.Parallel()
	const now, year9999 = 1_800_000_000_000, 253_402_300_799_999
	tests := []struct {
		name      string
		config    window.Config
		transfers []transfer
		want      []uint64
	}{
		{
			name:      "the sum falls unseen between two crossings",
			transfers: []transfer{minutes(6000, 0), minutes(6000, 10), minutes(6000, 65)},
			want:      []uint64{0, 12000, 12000},
		},
		{
			name:      "one leaves as the next comes: it never fell",
			transfers: []transfer{minutes(6000, 0), minutes(6000, 1), minutes(6000, 60)},
			want:      []uint64{0, 12000, 0},
		},
		{
			name: "one leaves a millisecond before the next comes: it fell",
			transfers: []transfer{minutes(6000, 0), minutes(6000, 1),
				{pair: 7, amount: 6000, at: 60*minute + 1}},
			want: []uint64{0, 12000, 12000},
		},
		{
			name:      "a late one makes the sum that ends at a newer one",
			transfers: []transfer{minutes(4000, 0), minutes(4000, 40), minutes(4000, 20)},
			want:      []uint64{0, 0, 12000},
		},
		{
			name: "an old episode that is still held does not suppress the next",
			transfers: []transfer{minutes(6000, 0), minutes(6000, 1), minutes(9000, 200),
				minutes(2000, 201)},
			want: []uint64{0, 12000, 0, 11000},
		},
		{
			name:      "a late one just behind an episode touches it",
			transfers: []transfer{minutes(11000, 0), minutes(11000, 200), minutes(11000, 60)},
			want:      []uint64{11000, 11000, 0},
		},
		{
			name:      "a late one just before an episode touches it",
			transfers: []transfer{minutes(11000, 200), minutes(11000, 140)},
			want:      []uint64{11000, 0},
		},
		{
			name: "a late one a millisecond off either end does not",
			transfers: []transfer{minutes(11000, 0), minutes(11001, 200),
				{pair: 7, amount: 11002, at: 60*minute + 1}, {pair: 7, amount: 11003, at: 140*minute - 1}},
			want: []uint64{11000, 11001, 11002, 11003},
		},
		{
			name:      "a late one joins two episodes",
			transfers: []transfer{minutes(11000, 0), minutes(11000, 100), minutes(11000, 50)},
			want:      []uint64{11000, 11000, 0},
		},
		{
			name: "a late one creates two at once: the larger counts",
			transfers: []transfer{minutes(6000, 0), minutes(7000, 100),
				minutes(5000, 50)},
			want: []uint64{0, 0, 12000},
		},
		{
			name:      "a late one creates two equal ones at once: the first counts",
			transfers: []transfer{minutes(6000, 0), minutes(6000, 100), minutes(5000, 50)},
			want:      []uint64{0, 0, 11000},
		},
		{
			name:      "exactly the length apart is not in one window",
			transfers: []transfer{minutes(6000, 0), minutes(6000, 60)},
			want:      []uint64{0, 0},
		},
		{
			name:      "a millisecond less apart is",
			transfers: []transfer{minutes(6000, 0), {pair: 7, amount: 6000, at: 60*minute - 1}},
			want:      []uint64{0, 12000},
		},
		{
			name:      "in the same millisecond",
			transfers: []transfer{minutes(6000, 5), minutes(6000, 5), minutes(6000, 5)},
			want:      []uint64{0, 12000, 0},
		},
		{
			name: "the second of one millisecond crosses as an old one leaves",
			transfers: []transfer{minutes(6000, 0), minutes(6000, 1), minutes(1000, 60),
				minutes(5000, 60)},
			want: []uint64{0, 12000, 0, 0},
		},
		{
			name: "the second of one millisecond crosses where the sum was low",
			transfers: []transfer{minutes(4000, 0), minutes(6000, 1), minutes(1000, 60),
				minutes(5000, 60)},
			want: []uint64{0, 0, 0, 12000},
		},
		{
			name:      "a sum equal to the threshold does not alert",
			transfers: []transfer{minutes(6000, 0), minutes(4000, 1), minutes(1, 2)},
			want:      []uint64{0, 0, 10001},
		},
		{
			name:      "one transaction alone",
			transfers: []transfer{minutes(10001, 0)},
			want:      []uint64{10001},
		},
		{
			name:      "the largest amounts",
			config:    window.Config{Threshold: 1 << 33, Length: 60 * minute},
			transfers: []transfer{minutes(1<<32-1, 0), minutes(1<<32-1, 1), minutes(1<<32-1, 2)},
			want:      []uint64{0, 0, 3 * (1<<32 - 1)},
		},
		{
			name:      "amount 0 creates nothing",
			config:    window.Config{Length: 60 * minute},
			transfers: []transfer{minutes(0, 0), minutes(1, 1), minutes(0, 2), minutes(0, 0)},
			want:      []uint64{0, 1, 0, 0},
		},
		{
			name:      "amount 0 alerts with every while the sum is over",
			config:    window.Config{Threshold: 10, Length: 60 * minute, Every: true},
			transfers: []transfer{minutes(0, 0), minutes(11, 10), minutes(0, 20), minutes(0, 0), minutes(0, 70)},
			want:      []uint64{0, 11, 11, 11, 0},
		},
		{
			name:      "every: each that is part of a sum above the threshold",
			config:    window.Config{Threshold: 10000, Length: 60 * minute, Every: true},
			transfers: []transfer{minutes(6000, 0), minutes(6000, 10), minutes(1, 20), minutes(6000, 65), minutes(1, 200)},
			want:      []uint64{0, 12000, 12001, 12001, 0},
		},
		{
			name:      "every: a late one sees the largest sum it is part of",
			config:    window.Config{Threshold: 10000, Length: 60 * minute, Every: true},
			transfers: []transfer{minutes(6000, 0), minutes(6000, 10), minutes(9000, 65), minutes(1, 9)},
			want:      []uint64{0, 12000, 15000, 15001},
		},
		{
			name:      "length 0: the total since the beginning, once",
			config:    window.Config{Threshold: 10000},
			transfers: []transfer{minutes(6000, 5000), minutes(4000, 0), minutes(1, 900_000), minutes(5, 1)},
			want:      []uint64{0, 0, 10001, 0},
		},
		{
			name:      "length 0 and every: the settings of 2016",
			config:    window.Config{Threshold: 8000, Every: true},
			transfers: []transfer{minutes(6000, 5000), minutes(2644, 0), minutes(1, 900_000), minutes(0, 1)},
			want:      []uint64{0, 8644, 8645, 8645},
		},
		{
			name: "one pair from 1970 to 9999",
			transfers: []transfer{{7, 6000, now, 0}, {7, 6000, 0, 1}, {7, 6000, year9999, 2},
				{7, 6000, minute, 3}, {7, 6000, year9999 - 5, 4}, {7, 6000, now + 1, 0}},
			want: []uint64{0, 0, 0, 12000, 12000, 12000},
		},
		{
			name:      "times that no base reaches",
			transfers: []transfer{{7, 6000, 1 << 52, 0}, {7, 6000, 1<<48 - 1, 1}, {7, 6000, 1<<52 - 9, 2}},
			want:      []uint64{0, 0, 12000},
		},
		{
			name:   "a window of a hundred years",
			config: window.Config{Threshold: 10000, Length: 100 * 365 * 24 * 60 * minute},
			transfers: []transfer{{7, 6000, now, 0}, {7, 3000, 0, 1}, {7, 1001, now / 2, 2},
				{7, 6000, year9999, 3}},
			want: []uint64{0, 0, 10001, 0},
		},
		{
			name:   "pairs do not mix",
			config: window.Config{Threshold: 10000, Length: 60 * minute},
			transfers: []transfer{{1, 6000, 0, 0}, {2, 6000, 0, 0}, {1 << 32, 6000, 0, 0}, {0, 6000, 0, 0},
				{1, 6000, 1, 0}, {0, 4001, 1, 0}},
			want: []uint64{0, 0, 0, 0, 12000, 10001},
		},
		{
			name:      "the longest window there is",
			config:    window.Config{Threshold: 10000, Length: 1<<63 - 1},
			transfers: []transfer{{7, 6000, year9999, 0}, {7, 6000, 0, 0}},
			want:      []uint64{0, 12000},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			config := test.config
			if config == (window.Config{}) {
				config = window.Config{Threshold: 10000, Length: 60 * minute}
			}
			w, o := window.New(config), newOracle(config)
			for i, x := range test.transfers {
				got, ok := w.Observe(x.pair, x.amount, x.at, x.tag)
				if got.Total != test.want[i] || ok != (test.want[i] > 0) {
					t.Errorf("transfer %d: got total %d, %v, want %d", i, got.Total, ok, test.want[i])
				}
				if config.Length > 1<<60 {
					continue // the oracle's instants would overflow
				}
				if want, wantOK := o.observe(x); got != want || ok != wantOK {
					t.Errorf("transfer %d: got %+v, %v, the oracle says %+v, %v", i, got, ok, want, wantOK)
				}
			}
		})
	}
}

func TestAlertDescribesTheLargestSum(t *testing.T) {
	t.Parallel()
	w := window.New(window.Config{Threshold: 10000, Length: 60 * minute})
	for _, x := range []transfer{
		{7, 500, 0, 0}, // leaves before the largest sum
		{7, 3000, 50 * minute, 1},
		{7, 4000, 70 * minute, 3},
		{7, 2500, 80 * minute, 3},
		{7, 100, 125 * minute, 4}, // comes after it
	} {
		if a, ok := w.Observe(x.pair, x.amount, x.at, x.tag); ok {
			t.Fatalf("%+v alerts: %+v", x, a)
		}
	}
	got, ok := w.Observe(7, 2000, 60*minute, 7)
	want := window.Alert{
		Total: 11500, At: 80 * minute, Transfers: 4,
		First: 50 * minute, Last: 80 * minute, Tags: 1<<1 | 1<<3 | 1<<7,
	}
	if !ok || got != want {
		t.Errorf("got %+v, %v, want %+v", got, ok, want)
	}
}

func TestForget(t *testing.T) {
	t.Parallel()
	config := window.Config{Threshold: 10000, Length: 60 * minute}
	type step struct {
		forget int64 // -1: none
		transfer
		want uint64
	}
	at := func(amount uint32, at int64) step { return step{forget: -1, transfer: minutes(amount, at)} }
	tests := []struct {
		name  string
		steps []step
	}{
		{"what is forgotten counts for nothing at once", []step{
			at(6000, 0), at(6000, 100),
			{forget: 0, transfer: minutes(6000, 1)},
		}},
		{"one millisecond newer still counts", []step{
			at(6000, 1), at(6000, 100),
			{forget: 1*minute - 1, transfer: minutes(6000, 2), want: 12000},
		}},
		{"a forgotten transaction is judged by what is held and not kept", []step{
			at(6000, 10), at(6000, 100),
			{forget: 5 * minute, transfer: minutes(6000, 4), want: 12000},
			{forget: -1, transfer: minutes(6000, 4), want: 12000},
			{forget: -1, transfer: minutes(4000, 11)},
		}},
		{"a forgotten transaction alone", []step{
			{forget: 50 * minute, transfer: minutes(11000, 50), want: 11000},
			{forget: -1, transfer: minutes(11000, 50), want: 11000},
			{forget: -1, transfer: minutes(11000, 51), want: 11000},
			{forget: -1, transfer: minutes(11000, 52)},
		}},
		{"forgetting less than before changes nothing", []step{
			at(6000, 0), at(1, 100),
			{forget: 50 * minute, transfer: minutes(1, 100)},
			{forget: 10 * minute, transfer: minutes(6000, 40)},
			{forget: -1, transfer: minutes(6000, 40)},
		}},
		{"within the window of the newest", []step{
			at(6000, 0), at(3000, 10),
			{forget: 5 * minute, transfer: minutes(6000, 20)},
			{forget: -1, transfer: minutes(1001, 20), want: 10001},
		}},
		{"never forgetting does not repeat the alert", []step{
			at(6000, 0), {forget: -1, transfer: minutes(6000, 1), want: 12000},
			at(6000, 60),
		}},
		{"low - length - 1 does not either", []step{
			at(6000, 0), {forget: -1, transfer: minutes(6000, 1), want: 12000},
			{forget: 60*minute - config.Length - 1, transfer: minutes(6000, 60)},
		}},
		{"low - length does", []step{
			at(6000, 0), {forget: -1, transfer: minutes(6000, 1), want: 12000},
			{forget: 60*minute - config.Length, transfer: minutes(6000, 60), want: 12000},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w, o := window.New(config), newOracle(config)
			for i, s := range test.steps {
				if s.forget >= 0 {
					w.Forget(s.forget)
					o.forget(s.forget)
				}
				got, ok := w.Observe(s.pair, s.amount, s.at, s.tag)
				if got.Total != s.want || ok != (s.want > 0) {
					t.Errorf("step %d: got total %d, %v, want %d", i, got.Total, ok, s.want)
				}
				if want, wantOK := o.observe(s.transfer); got != want || ok != wantOK {
					t.Errorf("step %d: got %+v, %v, the oracle says %+v, %v", i, got, ok, want, wantOK)
				}
			}
		})
	}
}

func TestForgetWithLengthZeroForgetsNothing(t *testing.T) {
	t.Parallel()
	w := window.New(window.Config{Threshold: 10000})
	w.Observe(7, 6000, 0, 0)
	w.Forget(1 << 50)
	if _, ok := w.Observe(7, 6000, minute, 0); !ok {
		t.Error("the first transfer no longer counts")
	}
	if got := w.Size(); got.Pairs != 1 || got.Records != 0 {
		t.Errorf("got %+v, want 1 pair and no records", got)
	}
}

func TestForgottenIsNotStored(t *testing.T) {
	t.Parallel()
	w := window.New(window.Config{Threshold: 10000, Length: 60 * minute})
	w.Forget(5 * minute)
	w.Load(7, 6000, 5*minute, 0)
	w.Observe(8, 6000, 5*minute, 0)
	w.Observe(9, 6000, 6*minute, 0)
	w.Observe(9, 6000, 5*minute, 0)
	if got := w.Size(); got.Pairs != 1 || got.Records != 1 {
		t.Errorf("got %+v, want 1 pair and 1 record", got)
	}
}

func TestForgetFreesEmptiedPairs(t *testing.T) {
	t.Parallel()
	w := window.New(window.Config{Threshold: 1 << 40, Length: 1000})
	empty := w.Size().Bytes
	for i := range int64(50_000) {
		w.Observe(uint64(i%10_000), 1, i, 0)
	}
	full := w.Size()
	if full.Pairs != 10_000 || full.Records != 50_000 {
		t.Fatalf("got %+v, want 10,000 pairs and 50,000 records", full)
	}
	for before := int64(0); before < 49_989; before += 100 {
		w.Forget(before)
	}
	w.Forget(49_989)
	if got := w.Size(); got.Pairs != 10 || got.Records != 10 || got.Bytes > full.Bytes/10 {
		t.Errorf("got %+v of %+v, want 10 pairs and 10 records in little memory", got, full)
	}
	w.Forget(1 << 50)
	if got := w.Size(); got.Pairs != 0 || got.Records != 0 || got.Bytes > empty {
		t.Errorf("got %+v, want nothing held", got)
	}
}

// TestForgottenMemoryIsBounded lets time pass as a service does, with a Forget after every few
// transactions, at a rate that changes suddenly.
func TestForgottenMemoryIsBounded(t *testing.T) {
	t.Parallel()
	const length = 100_000
	w := window.New(window.Config{Threshold: 1 << 40, Length: length})
	var times []int64
	oldest := 0
	now := int64(0)
	for _, phase := range []struct {
		transfers int
		step      int64
	}{{100_000, 1}, {2_000, 100}, {50_000, 3}} {
		for i := range phase.transfers {
			now += phase.step
			w.Observe(uint64(i*7919%5000), 1, now, 0)
			times = append(times, now)
			if i%10 != 0 {
				continue
			}
			w.Forget(now - length)
			for times[oldest] <= now-length {
				oldest++
			}
			held := len(times) - oldest
			// An eighth, and a little for what shares an interval of time with the newest forgotten.
			if got := w.Size().Records; got > held+held/8+held/64+len(times)/512+16 {
				t.Fatalf("at %d: %d records in memory, %d of them are held", now, got, held)
			}
		}
	}
}
