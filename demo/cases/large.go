package cases

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"fintrans/demo/harness"
)

// largest is what a record may have in its value or its headers, so that its batch is just below the 1,000,012 bytes that
// brokers took by default before they took 1 MiB: many times what the consumers fetch at once.
const largest = 1_000_000 - 600

// largeTransfers are transactions of three pairs, as large as brokers take: by leading zeros, by one header, by many.
func largeTransfers(at time.Time, amount uint32) []harness.Record {
	var large []harness.Record
	pairs := pairsOf(6, 3, 3)
	for i, pair := range pairs {
		large = append(large, transfer(harness.Cities()[i], at, pair, amount))
	}
	large[0].Value = fmt.Appendf(nil, "%d %d %s%d", pairs[0].Source, pairs[0].Target, strings.Repeat("0", largest), amount)
	large[1].Headers = map[string]string{"note": strings.Repeat("n", largest)}
	large[2].Headers = map[string]string{}
	for n := range 1000 {
		large[2].Headers[fmt.Sprint("note ", n)] = strings.Repeat("n", largest/1000-20)
	}
	return large
}

// LargeRecordsCount sends transactions that are as large as brokers take, among others, compressed and not: all of them
// are points and count in the window, also in one that is read back.
func LargeRecordsCount(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	in, det := s.Start(ingest, quick), s.Start(detector, rules(tenMinutes, 10*time.Minute))
	now := time.UnixMilli(time.Now().UnixMilli())
	parts := slices.Collect(slices.Chunk(recent.transactions(), recent.number/6))
	var sent []harness.Record
	for i, codec := range []kgo.CompressionCodec{kgo.NoCompression(), kgo.Lz4Compression()} {
		// Those of the first round are below the threshold, and above it with those of the second.
		for j, large := range largeTransfers(now, 6000) {
			records := slices.Concat(parts[3*i+j], []harness.Record{large})
			produceWith(t, s, records, kgo.ProducerBatchCompression(codec), kgo.ProducerBatchMaxBytes(1<<20))
			sent = append(sent, records...)
		}
		killWhenDone(s, det, sent)
	}
	settleAfterKills(t, in, det, sent)
	for _, pair := range pairsOf(6, 3, 3) {
		if lines := linesOf(t, det, pair); lines == 0 {
			t.Errorf("no alert of %v, which its large transactions take over the threshold", pair)
		}
	}
}
