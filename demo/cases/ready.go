package cases

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"fintrans/demo/harness"
	"fintrans/demo/oracle"
	"fintrans/internal/transaction"
)

// ReadyWithoutWork shows that consumers of empty topics are ready, and those that stand by without a
// partition.
func ReadyWithoutWork(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{Partitions: 1})
	var all []*harness.Process
	for _, service := range []string{ingest, detector} {
		all = append(all, s.Start(service, nil), s.Start(service, nil))
		s.AwaitMembers(service, 2)
	}
	for _, p := range all {
		p.AwaitReady()
	}
	remain(t, "/ready", all...)
	term(t, all...)
}

// MarkerIsNoLag ends the logs with the markers of transactions, one that was committed and one that was
// aborted: a marker is nothing to read, and so no lag. What was aborted is no money.
func MarkerIsNoLag(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{Partitions: 1})
	in, det := s.Start(ingest, quick), s.Start(detector, rules(tenMinutes, 10*time.Minute))
	now := time.UnixMilli(time.Now().UnixMilli())
	committed := []harness.Record{harness.Transfer("London", now, 1, 2, 9000), harness.Transfer("Tokyo", now, 1, 2, 9001)}
	produceTransaction(t, s, kgo.TryCommit, committed...)
	produceTransaction(t, s, kgo.TryAbort, harness.Transfer("London", now, 3, 4, 99_999))
	s.AwaitVolumes(volumes(committed))
	awaitLines(t, det, 1)
	in.AwaitReady()
	det.AwaitReady()
	remain(t, "/ready", in, det)
	for _, p := range []*harness.Process{in, det} {
		awaitNoLag(t, p)
	}
	term(t, in, det)
	if got, want := fmt.Sprint(alerts(t, det)), "[1 -> 2 totalling 18001]"; got != want {
		t.Errorf("alerts %s, want %s", got, want)
	}
}

// produceTransaction sends the records in one transaction of Kafka's, which it ends so.
func produceTransaction(t testing.TB, s *harness.System, end kgo.TransactionEndTry, records ...harness.Record) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(s.Kafka.Addrs()...), kgo.TransactionalID("transaction"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		sent := client.ProduceSync(ctx, &kgo.Record{Topic: r.City, Key: r.Key, Value: r.Value, Timestamp: r.Time})
		if err := sent.FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.EndTransaction(ctx, end); err != nil {
		t.Fatal(err)
	}
}

// awaitNoLag waits until a consumer knows that it has read everything.
func awaitNoLag(t testing.TB, p *harness.Process) {
	t.Helper()
	name := "influx_ingest_consumer_lag_records"
	if strings.HasPrefix(p.String(), detector) {
		name = "laundering_detector_consumer_lag_records"
	}
	harness.Eventually(t, func() (bool, string) {
		lag, samples := p.Metric(name, nil)
		return lag == 0 && samples > 0, fmt.Sprintf("%s of %v is %v in %d samples, want 0", name, p, lag, samples)
	})
}

// PartitionCountsDiffer shows that the detector judges nothing while the topics have different numbers of
// partitions, says so, and judges when they have the same.
func PartitionCountsDiffer(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{Partitions: harness.NoTopics})
	cities := harness.Cities()
	s.CreateTopics(2, cities[:4]...)
	s.CreateTopics(3, cities[4])
	det := s.Start(detector, rules(tenMinutes, 10*time.Minute))
	now := time.UnixMilli(time.Now().UnixMilli())
	s.Produce(harness.Transfer(cities[0], now, 1, 2, 10_001))
	awaitNotReady(t, det, "partitions: the partition counts of the topics differ")
	awaitNotReady(t, det, "London 2 NYC 2 SF 2 Moscow 2 Tokyo 3")
	remain(t, "/health", det)
	if got := det.Stdout(); len(got) > 0 {
		t.Errorf("alerts while the counts differ: %q", got)
	}
	s.AddPartitions(1, cities[:4]...)
	det.AwaitReady()
	awaitLines(t, det, 1)
	term(t, det)
	if got, want := fmt.Sprint(alerts(t, det)), "[1 -> 2 totalling 10001]"; got != want {
		t.Errorf("alerts %s, want %s", got, want)
	}
}

// PartitionsAreAddedToOneTopic adds a partition to one city alone while both consumers run: its money flows, and the
// detector says why it judges nothing until the others have one more too; then it judges what has come meanwhile.
func PartitionsAreAddedToOneTopic(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{Partitions: 2})
	in, det := s.Start(ingest, quick), s.Start(detector, rules(tenMinutes, 10*time.Minute))
	now := time.UnixMilli(time.Now().UnixMilli())
	var sent []harness.Record
	// over has a pair of each of the partition numbers go over the threshold, in two cities.
	over := func(numbers ...int32) {
		t.Helper()
		var records []harness.Record
		for _, number := range numbers {
			pair := steadyPair(number, len(sent))
			records = append(records, transfer("London", now, pair, 6000), transfer("Tokyo", now, pair, 6000))
		}
		s.Produce(records...)
		sent = append(sent, records...)
		s.AwaitVolumes(volumes(sent))
	}
	over(0, 1)
	awaitLines(t, det, 2)
	s.AddPartitions(1, "Tokyo")
	awaitNotReady(t, det, "partitions: the partition counts of the topics differ")
	over(0, 1)
	remain(t, "/ready", in)
	if got := len(det.Stdout()); got != 2 {
		t.Errorf("%d alerts while the counts differ, want the 2 of before", got)
	}
	s.AddPartitions(1, "London", "NYC", "SF", "Moscow")
	det.AwaitReady()
	awaitPartitions(t, in, "0,1,2")
	over(0, 1, 2)
	awaitLines(t, det, 7)
	s.AwaitCommitted(detector, harness.Cities()...)
	term(t, in, det)
	report(t, tenMinutes.Check(alerts(t, det), transfers(sent)))
}

// steadyPair is a pair, another one for each seed, that belongs into this partition of three, and into the same of two
// where there is one.
func steadyPair(partition int32, seed int) oracle.Pair {
	for source := uint32(1000 * (seed + 1)); ; source++ {
		key := fmt.Appendf(nil, "%d 7", source)
		if transaction.Partition(key, 3) == partition && (partition == 2 || transaction.Partition(key, 2) == partition) {
			return oracle.Pair{Source: source, Target: 7}
		}
	}
}
