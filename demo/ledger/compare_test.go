package ledger_test

import (
	"reflect"
	"testing"

	"fintrans/demo/ledger"
	"fintrans/demo/oracle"
)

// ms and ns are an instant in the units of records and points.
const (
	ms = int64(1_800_000_000_000)
	ns = ms * 1_000_000
)

func record(city string, partition int32, offset, at int64, amount uint32) ledger.Record {
	return ledger.Record{City: city, Partition: partition, Offset: offset, Transfer: oracle.Transfer{Amount: amount, At: at}}
}

func TestDifferences(t *testing.T) {
	t.Parallel()
	start := ledger.Position{"London": {0: 999_999, 1: 0}}
	end := ledger.Position{"London": {0: 1_000_002, 1: 1}, "SF": {0: 1}}
	records := []ledger.Record{
		record("London", 0, 999_999, ms, 10), // its share of the time is the largest there is
		record("London", 0, 1_000_000, ms, 20),
		record("London", 0, 1_000_001, ms+1, 30),
		record("London", 1, 0, ms-100, 5), // too old to be looked for
		record("SF", 0, 0, ms, 1),
	}
	stored := []ledger.Point{
		{City: "London", Partition: 0, Nanos: ns + 999_999, Amount: 10},
		{City: "London", Partition: 0, Nanos: ns, Amount: 20},
		{City: "London", Partition: 0, Nanos: ns + 1_000_001, Amount: 30},
		{City: "SF", Partition: 0, Nanos: ns, Amount: 1},
	}
	tests := []struct {
		name   string
		points []ledger.Point
		want   []string
	}{
		{"all are there", stored, nil},
		{
			"one is missing", stored[1:],
			[]string{"London: 3 transactions of $60 were appended, InfluxDB has 2 points of $50"},
		},
		{
			"a city is missing", stored[:3],
			[]string{"SF: 1 transactions of $1 were appended, InfluxDB has 0 points of $0"},
		},
		{
			"those of other runs are left out", append([]ledger.Point{
				{City: "London", Partition: 0, Nanos: ns + 999_998, Amount: 7}, {City: "London", Partition: 0, Nanos: ns + 2, Amount: 7},
				{City: "London", Partition: 2, Nanos: ns, Amount: 7}, {City: "Tokyo", Partition: 0, Nanos: ns, Amount: 7},
			}, stored...), nil,
		},
		{
			"a record is two points", append([]ledger.Point{{City: "SF", Partition: 0, Nanos: ns + 1_000_000, Amount: 1}}, stored...),
			[]string{
				"SF: 1 transactions of $1 were appended, InfluxDB has 2 points of $2",
				"InfluxDB has a point of SF/0 at 1800000000001000000 ns that no record stands for",
			},
		},
		{
			"amounts are exchanged", append([]ledger.Point{
				{City: "London", Partition: 0, Nanos: ns + 999_999, Amount: 20}, {City: "London", Partition: 0, Nanos: ns, Amount: 10},
			}, stored[2:]...), []string{
				"the point of London/0 at 1800000000000999999 ns is worth $20, its record $10",
				"the point of London/0 at 1800000000000000000 ns is worth $10, its record $20",
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			account := ledger.NewAccount(start, end, ms-50)
			for _, r := range records {
				account.Expect(r)
			}
			account.Find(ledger.Point{City: "SF", Partition: 0, Nanos: ns, Amount: 1}) // of an earlier look
			account.Recount()
			for _, p := range test.points {
				account.Find(p)
			}
			if got := account.Differences(); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if got, want := account.Total(), (ledger.Volume{Count: 5, Sum: 66}); got != want {
				t.Errorf("appended %+v, want %+v", got, want)
			}
			if got, want := account.Older(), (ledger.Volume{Count: 1, Sum: 5}); got != want {
				t.Errorf("older %+v, want %+v", got, want)
			}
		})
	}
}

func TestLostAndSurplus(t *testing.T) {
	t.Parallel()
	account := ledger.NewAccount(ledger.Position{}, ledger.Position{"SF": {0: 3}}, 0)
	for offset := range int64(3) {
		account.Expect(record("SF", 0, offset, ms, 1))
	}
	account.Find(ledger.Point{City: "SF", Partition: 0, Nanos: ns, Amount: 1})
	account.Find(ledger.Point{City: "SF", Partition: 0, Nanos: ns + 1_000_001, Amount: 1})
	if account.Lost() != 2 || account.Surplus() != 1 {
		t.Errorf("%d lost, %d surplus, want 2 and 1", account.Lost(), account.Surplus())
	}
	account.Recount()
	if account.Lost() != 3 || account.Surplus() != 0 {
		t.Errorf("%d lost, %d surplus after a recount, want 3 and 0", account.Lost(), account.Surplus())
	}
}
