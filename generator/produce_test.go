package main

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/IBM/sarama"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"fintrans/internal/kafka"
	"fintrans/internal/produce"
	"fintrans/internal/service"
	"fintrans/internal/transaction"
)

func TestOnlyWhatIsAcknowledgedCounts(t *testing.T) {
	t.Parallel()
	const count, failures = 500, 9
	expected := newPlan(testConfig(0).plan(7))
	wantVolume := [cityCount]int64{}
	n := 0
	producer := newFakeProducer(func(topic int, r *produce.Record) error {
		p := expected.next()
		if err := checkRecord(topic, r, p); err != nil {
			t.Errorf("record %d: %v", n, err)
		}
		i := n
		n++
		if i%50 == 10 && i/50 < failures {
			return sarama.ErrOutOfOrderSequenceNumber
		}
		wantVolume[p.city] += int64(p.Amount)
		return nil
	})
	rt, log := testRuntime()
	g := testGenerator(testConfig(count), producer, rt)
	if err := g.run(t.Context()); err == nil || !strings.Contains(err.Error(), "9 of 509") {
		t.Errorf("run: got %v, want an error that says how many were given up", err)
	}
	sent := int64(0)
	for i := range cities {
		sent += g.acks.sent[i].Load()
		if got := g.acks.volume[i].Load(); got != wantVolume[i] {
			t.Errorf("%s: got volume %d, want %d", cities[i], got, wantVolume[i])
		}
	}
	if failed := g.acks.failed.Load(); n != count+failures || sent != count || failed != failures || g.acks.inFlight.Load() != 0 {
		t.Errorf("got %d records, %d sent, %d failed, %d in flight; want %d, %d, %d, 0",
			n, sent, failed, g.acks.inFlight.Load(), count+failures, count, failures)
	}
	if n := strings.Count(log.String(), "were given up"); n != 1 {
		t.Errorf("got %d lines about failures, want 1:\n%s", n, log)
	}
	g.logSummary()
	if !strings.Contains(log.String(), "sent=500") || !strings.Contains(log.String(), "failed=9") {
		t.Errorf("the summary is missing:\n%s", log)
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	rt, _ := testRuntime()
	g := testGenerator(testConfig(300), newFakeProducer(func(int, *produce.Record) error { return nil }), rt)
	if err := g.run(t.Context()); err != nil {
		t.Fatalf("run: %v", err)
	}
	families, err := rt.Metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			got[family.GetName()] += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	for metric, want := range map[string]float64{
		"generator_transactions_total": 300, "generator_failed_total": 0, "generator_in_flight_transactions": 0,
		"generator_acknowledgement_duration_seconds": 300,
	} {
		if got[metric] != want {
			t.Errorf("%s: got %v, want %v", metric, got[metric], want)
		}
	}
	if got["generator_rings_planted_total"] < 1 || got["generator_volume_dollars_total"] < 300 {
		t.Errorf("got %v rings of a volume of %v", got["generator_rings_planted_total"], got["generator_volume_dollars_total"])
	}
	if problems, err := testutil.GatherAndLint(rt.Metrics); err != nil || len(problems) != 0 {
		t.Errorf("names of metrics: %v, error %v", problems, err)
	}
}

func TestKeysGoWhereTransactionPartitionSays(t *testing.T) {
	t.Parallel()
	partitioner := sarama.NewHashPartitioner("London")
	p := testPlan(nil)
	var m message
	for range 50_000 {
		m.fill(p.next(), time.Now())
		for _, partitions := range []int32{1, 6, 7, 50} {
			want, err := partitioner.Partition(&sarama.ProducerMessage{Key: sarama.ByteEncoder(m.Key)}, partitions)
			if err != nil {
				t.Fatal(err)
			}
			if got := transaction.Partition(m.Key, partitions); got != want {
				t.Fatalf("key %q of %d: got partition %d, want %d", m.Key, partitions, got, want)
			}
		}
	}
}

func TestProducerConfigIsExactlyOnce(t *testing.T) {
	t.Parallel()
	conf, err := producerConfig(kafka.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	if p := conf.Producer; !p.Idempotent || p.RequiredAcks != sarama.WaitForAll || conf.Net.MaxOpenRequests != 1 {
		t.Errorf("got %+v", p)
	}
}

// TestBrokersThatDoNotAnswer runs on a clock of its own.
func TestBrokersThatDoNotAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sent := 0
		producer := newFakeProducer(func(int, *produce.Record) error {
			if sent++; sent <= 5 {
				return nil
			}
			return errKeep
		})
		rt, _ := testRuntime()
		ctx, cancel := context.WithCancel(t.Context())
		g := testGenerator(testConfig(0), producer, rt)
		done := make(chan error, 1)
		go func() { done <- g.run(ctx) }()
		synctest.Wait()
		if got := g.acks.inFlight.Load(); got != maxInFlight {
			t.Errorf("got %d in flight, want at most and at last %d", got, maxInFlight)
		}
		if reasons := rt.Ready.Reasons(); len(reasons) != 0 {
			t.Errorf("got %v at once", reasons)
		}
		<-time.After(31 * time.Second)
		if reasons := rt.Ready.Reasons(); len(reasons) != 1 || !strings.Contains(reasons[0],
			fmt.Sprintf("no acknowledgement for 31s, %d transactions in flight: kafka server: Messages are rejected", maxInFlight)) {
			t.Errorf("got reasons %q", reasons)
		}
		<-time.After(10 * time.Minute)
		if stalled := rt.Health.Stalled(); len(stalled) != 0 {
			t.Errorf("got stalled loops %v", stalled)
		}
		stopped := time.Now()
		cancel()
		err := <-done
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%d of %d transactions were not acknowledged", maxInFlight, maxInFlight+5)) {
			t.Errorf("got error %v", err)
		}
		if took := time.Since(stopped); took > service.DrainBudget {
			t.Errorf("the drain took %s", took)
		}
	})
}

func TestDrainWaitsForAcknowledgements(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		producer := newFakeProducer(func(int, *produce.Record) error {
			<-time.After(10 * time.Millisecond) // slower than the generator
			return nil
		})
		producer.limit = 100
		rt, _ := testRuntime()
		ctx, cancel := context.WithCancel(t.Context())
		g := testGenerator(testConfig(0), producer, rt)
		done := make(chan error, 1)
		go func() { done <- g.run(ctx) }()
		<-time.After(time.Second)
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
		sent := int64(0)
		for i := range cities {
			sent += g.acks.sent[i].Load()
		}
		if sent != g.handedOver || sent == 0 {
			t.Errorf("got %d acknowledged of %d", sent, g.handedOver)
		}
	})
}

// TestStartIsCalledOff ends the service while there is no broker.
func TestStartIsCalledOff(t *testing.T) {
	t.Parallel()
	rt, _ := testRuntime()
	ctx, cancel := context.WithCancel(t.Context())
	cfg := testConfig(1)
	cfg.Broker = service.Addresses{"127.0.0.1:1"}
	done := make(chan error, 1)
	go func() { done <- serve(ctx, cfg, rt) }()
	await(t, func() bool {
		return strings.Contains(strings.Join(rt.Ready.Reasons(), ""), "no broker was reached yet: 127.0.0.1:1")
	}, func() string { return fmt.Sprintf("got reasons %v", rt.Ready.Reasons()) })
	cancel()
	if err := <-done; err != nil {
		t.Errorf("serve: %v", err)
	}
	// Nobody waits for the attempt that was on; it ends by itself when sarama has tried for a second.
	await(t, func() bool { return !strings.Contains(stacks(), "fintrans/internal/kafka.Await") }, stacks)
}

// await waits until it is so, and says what is where it never is.
func await(t *testing.T, so func() bool, what func() string) {
	t.Helper()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for !so() {
		select {
		case <-poll.C:
		case <-deadline.C:
			t.Fatal(what())
		}
	}
}

// stacks returns where all goroutines are.
func stacks() string {
	stacks := make([]byte, 1<<20)
	return string(stacks[:runtime.Stack(stacks, true)])
}

func TestBatchesAreMeasured(t *testing.T) {
	t.Parallel()
	rt, _ := testRuntime()
	a := newAcks(rt.Log, newCounts(rt.Metrics), &fakeProducer{}, error.Error)
	for _, n := range []int{3, 1, 2} {
		a.settle(&produce.Batch{Times: make([]time.Time, n)})
	}
	a.settle(&produce.Batch{Times: make([]time.Time, 7), Err: errKeep})
	if got, want := histogram(t, a.batches), [2]float64{3, 6}; got != want {
		t.Errorf("got %v batches and transactions, want %v", got, want)
	}
}

// histogram returns how many samples there are and what they add up to.
func histogram(t *testing.T, h prometheus.Histogram) [2]float64 {
	t.Helper()
	var m dto.Metric
	if err := h.Write(&m); err != nil {
		t.Fatal(err)
	}
	return [2]float64{float64(m.GetHistogram().GetSampleCount()), m.GetHistogram().GetSampleSum()}
}

// A count beyond what an int64 holds is a count that is never reached, not one that is reached at once.
func TestAHugeCountIsNotReachedAtOnce(t *testing.T) {
	t.Parallel()
	rt, _ := testRuntime()
	ctx, stop := context.WithCancel(t.Context())
	producer := newFakeProducer(func(int, *produce.Record) error {
		stop()
		return nil
	})
	g := testGenerator(testConfig(math.MaxUint64), producer, rt)
	if err := g.run(ctx); err != nil {
		t.Fatal(err)
	}
	if g.handedOver == 0 {
		t.Error("nothing was sent")
	}
}

func TestFillDoesNotAllocate(t *testing.T) { // alone: AllocsPerRun counts the whole process
	p := testPlan(func(c *planConfig) { c.ringShare = 0 })
	var m message
	m.fill(p.next(), time.Now())
	if n := testing.AllocsPerRun(1000, func() { m.fill(p.next(), time.Now()) }); n != 0 {
		t.Errorf("%v allocations for a transaction", n)
	}
}
