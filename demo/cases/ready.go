package cases

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"fintrans/demo/harness"
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
