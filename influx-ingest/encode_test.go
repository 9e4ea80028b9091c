package main

import (
	"math"
	"strconv"
	"testing"
	"time"

	client "github.com/influxdata/influxdb1-client/v2"

	"fintrans/internal/transaction"
)

// clientLine is what InfluxDB's own client makes of the same transaction.
func clientLine(t *testing.T, city string, partition int32, tr transaction.Transaction, nanos int64) string {
	t.Helper()
	point, err := client.NewPoint(measurement,
		map[string]string{tagCity: city, tagPartition: strconv.Itoa(int(partition))},
		map[string]any{"amount": int64(tr.Amount), "source": int64(tr.Source), "target": int64(tr.Target)},
		time.Unix(0, nanos))
	if err != nil {
		t.Fatal(err)
	}
	return point.PrecisionString("ns") + "\n"
}

func TestAppendPoint(t *testing.T) {
	t.Parallel()
	most := transaction.Transaction{Source: math.MaxUint32, Target: math.MaxUint32, Amount: math.MaxUint32}
	tests := []struct {
		name      string
		city      string
		partition int32
		tr        transaction.Transaction
		millis    int64
		offset    int64
		want      string
	}{
		{"the article's example", "London", 3, transaction.Transaction{Source: 396, Target: 465, Amount: 6789}, 1_500_000_000_123, 42,
			"transactions,city=London,partition=3 amount=6789i,source=396i,target=465i 1500000000123000042\n"},
		{"zeros", "NYC", 0, transaction.Transaction{}, 0, 1, "transactions,city=NYC,partition=0 amount=0i,source=0i,target=0i 1\n"},
		{"largest", "Moscow", math.MaxInt32, most, 9_000_000_000_000, 999_999,
			"transactions,city=Moscow,partition=2147483647 amount=4294967295i,source=4294967295i,target=4294967295i 9000000000000999999\n"},
		{"the millionth offset begins again", "SF", 1, transaction.Transaction{Amount: 1}, 7, 5_000_003,
			"transactions,city=SF,partition=1 amount=1i,source=0i,target=0i 7000003\n"},
		{"a name to be escaped", "St. John's, NL=A", 1, transaction.Transaction{Amount: 1}, 1, 0,
			`transactions,city=St.\ John's\,\ NL\=A,partition=1 amount=1i,source=0i,target=0i 1000000` + "\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			nanos := pointTime(tt.millis, tt.offset)
			got := string(appendPoint(nil, seriesKey(measurement, tt.city, tt.partition), tt.tr, nanos))
			if got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
			if own := clientLine(t, tt.city, tt.partition, tt.tr, nanos); got != own {
				t.Errorf("got    %q\nclient %q", got, own)
			}
		})
	}
}

func FuzzAppendPoint(f *testing.F) {
	f.Add(int32(3), uint32(396), uint32(465), uint32(6789), int64(1_500_000_000_123), int64(42))
	f.Add(int32(0), uint32(0), uint32(math.MaxUint32), uint32(1), int64(1), int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, partition int32, source, target, amount uint32, millis, offset int64) {
		if partition < 0 || offset < 0 || millis < 0 || millis > 4_102_444_800_000 {
			t.Skip("no record has this")
		}
		tr := transaction.Transaction{Source: source, Target: target, Amount: amount}
		nanos := pointTime(millis, offset)
		for _, city := range transaction.Cities() {
			got := string(appendPoint([]byte("before\n"), seriesKey(measurement, city, partition), tr, nanos))
			if want := "before\n" + clientLine(t, city, partition, tr, nanos); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
	})
}

func TestPointTimeIsUniqueWithinAMillisecond(t *testing.T) {
	t.Parallel()
	seen := make(map[int64]bool, nanosPerMilli)
	for offset := int64(777); offset < 777+nanosPerMilli; offset++ {
		at := pointTime(5, offset)
		if seen[at] || at < 5*nanosPerMilli || at >= 6*nanosPerMilli {
			t.Fatalf("offset %d: time %d was there before, or is of another millisecond", offset, at)
		}
		seen[at] = true
	}
}

func TestAppendPointDoesNotAllocate(t *testing.T) {
	key, dst := seriesKey(measurement, "London", 3), make([]byte, 0, 256)
	tr := transaction.Transaction{Source: 1, Target: 2, Amount: 3}
	if got := testing.AllocsPerRun(100, func() { dst = appendPoint(dst[:0], key, tr, 4) }); got != 0 {
		t.Errorf("got %v allocations a point, want none", got)
	}
}

func BenchmarkAppendPoint(b *testing.B) {
	key, dst := seriesKey(measurement, "London", 3), make([]byte, 0, 256)
	tr := transaction.Transaction{Source: 396, Target: 465, Amount: 6789}
	b.ReportAllocs()
	for n := int64(0); b.Loop(); n++ {
		dst = appendPoint(dst[:0], key, tr, pointTime(1_500_000_000_123, n))
	}
	b.SetBytes(int64(len(dst)))
}
