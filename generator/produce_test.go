package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/IBM/sarama"
	"github.com/IBM/sarama/mocks"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/sirupsen/logrus"
	"go.uber.org/goleak"

	"fintrans/internal/kafka"
	"fintrans/internal/service"
	"fintrans/internal/transaction"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func testRuntime() (*service.Runtime, *strings.Builder) {
	var out strings.Builder
	log := logrus.New()
	log.SetOutput(&out)
	return service.NewRuntime(name, log, io.Discard), &out
}

// testConfig is the default configuration with a seed, for n transactions.
func testConfig(n uint64) config {
	return config{
		GenCount: service.Count(n), GenSeed: 7, GenAccounts: 1000, GenCityWeights: cityWeights{1, 1, 1, 1, 1},
		RingShare: 0.01, RingTotal: 20_000,
	}
}

// fakeProducer answers each message as it is told, or keeps it.
type fakeProducer struct {
	input     chan *sarama.ProducerMessage
	successes chan *sarama.ProducerMessage
	errors    chan *sarama.ProducerError
}

// errKeep is what an answer returns for a message that is not acknowledged at all.
var errKeep = errors.New("keep")

func newFakeProducer(answer func(*sarama.ProducerMessage) error) *fakeProducer {
	p := &fakeProducer{make(chan *sarama.ProducerMessage), make(chan *sarama.ProducerMessage), make(chan *sarama.ProducerError)}
	go func() {
		defer close(p.successes)
		defer close(p.errors)
		for m := range p.input {
			switch err := answer(m); {
			case err == nil:
				p.successes <- m
			case errors.Is(err, errKeep):
			default:
				p.errors <- &sarama.ProducerError{Msg: m, Err: err}
			}
		}
	}()
	return p
}

func (p *fakeProducer) Input() chan<- *sarama.ProducerMessage     { return p.input }
func (p *fakeProducer) Successes() <-chan *sarama.ProducerMessage { return p.successes }
func (p *fakeProducer) Errors() <-chan *sarama.ProducerError      { return p.errors }
func (p *fakeProducer) AsyncClose()                               { close(p.input) }

// checkMessage compares a message with the transaction that the plan says.
func checkMessage(m *sarama.ProducerMessage, want planned) error {
	key, _ := m.Key.Encode()
	value, _ := m.Value.Encode()
	wantKey := fmt.Sprintf("%d %d", want.Source, want.Target)
	wantValue := fmt.Sprintf("%s %d", wantKey, want.Amount)
	if m.Topic != cities[want.city] || string(key) != wantKey || string(value) != wantValue {
		return fmt.Errorf("got %s %q %q, want %s %q %q", m.Topic, key, value, cities[want.city], wantKey, wantValue)
	}
	if m.Timestamp.IsZero() {
		return errors.New("no timestamp")
	}
	if want.ring == 0 {
		if len(m.Headers) != 0 {
			return fmt.Errorf("got headers %v", m.Headers)
		}
		return nil
	}
	if len(m.Headers) != 2 || string(m.Headers[0].Key) != "ring" || string(m.Headers[0].Value) != strconv.FormatUint(want.ring, 10) ||
		string(m.Headers[1].Key) != "ring-transfers" || string(m.Headers[1].Value) != strconv.Itoa(want.transfers) {
		return fmt.Errorf("got headers %v for ring %d of %d", m.Headers, want.ring, want.transfers)
	}
	return nil
}

func TestOnlyWhatIsAcknowledgedCounts(t *testing.T) {
	t.Parallel()
	const count, failures = 500, 9
	conf, err := producerConfig(kafka.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	mock := mocks.NewAsyncProducer(t, conf)
	expected := newPlan(testConfig(0).plan(7))
	wantVolume := [cityCount]int64{}
	for i := range count + failures {
		p := expected.next()
		check := func(m *sarama.ProducerMessage) error { return checkMessage(m, p) }
		if i%50 == 10 && i/50 < failures {
			mock.ExpectInputWithMessageCheckerFunctionAndFail(check, sarama.ErrOutOfOrderSequenceNumber)
			continue
		}
		wantVolume[p.city] += int64(p.Amount)
		mock.ExpectInputWithMessageCheckerFunctionAndSucceed(check)
	}
	rt, log := testRuntime()
	g := newGenerator(testConfig(count), mock, rt)
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
	if failed := g.acks.failed.Load(); sent != count || failed != failures || g.acks.inFlight.Load() != 0 {
		t.Errorf("got %d sent, %d failed, %d in flight; want %d, %d, 0", sent, failed, g.acks.inFlight.Load(), count, failures)
	}
	if n := strings.Count(log.String(), "given up"); n != 1 {
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
	g := newGenerator(testConfig(300), newFakeProducer(func(*sarama.ProducerMessage) error { return nil }), rt)
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
	conf, err := producerConfig(kafka.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	partitioner := conf.Producer.Partitioner("London")
	p := testPlan(nil)
	var m message
	for range 50_000 {
		m.fill(p.next(), time.Now())
		for _, partitions := range []int32{1, 6, 7, 50} {
			want, err := partitioner.Partition(&m.ProducerMessage, partitions)
			if err != nil {
				t.Fatal(err)
			}
			if got := transaction.Partition(m.key, partitions); got != want {
				t.Fatalf("key %q of %d: got partition %d, want %d", m.key, partitions, got, want)
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
	if p := conf.Producer; !p.Idempotent || p.RequiredAcks != sarama.WaitForAll || !p.Return.Successes || !p.Return.Errors || conf.Net.MaxOpenRequests != 1 {
		t.Errorf("got %+v", p)
	}
	for retries := range 100 {
		if d := retryBackoff(retries, 0); d <= 0 || d > maxBackoff {
			t.Errorf("retry %d: got a pause of %s", retries, d)
		}
	}
}

func TestPaceIsKept(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		wait  time.Duration
		count int
		late  time.Duration // what each may be late by
		wakes int           // at how many times they are sent
	}{
		{"one in two seconds", 2 * time.Second, 10, 1, 10},
		{"one in ninety seconds", 90 * time.Second, 3, 1, 3},
		{"twenty-five a second", 40 * time.Millisecond, 50, 1, 50},
		{"two thousand a second", 500 * time.Microsecond, 4000, minPause, 50},
		{"a hundred thousand a second", 10 * time.Microsecond, 20_000, minPause, 5},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				n, wakes, last := 0, 0, time.Duration(0)
				producer := newFakeProducer(func(*sarama.ProducerMessage) error {
					// Many a second are sent in groups, none of them before its time.
					if got, want := time.Since(start), time.Duration(n)*test.wait; got < want || got >= want+test.late {
						t.Errorf("transaction %d: got sent after %s, want %s and less than %s more", n, got, want, test.late)
					}
					if n == 0 || time.Since(start) != last {
						wakes++
					}
					last = time.Since(start)
					n++
					return nil
				})
				cfg := testConfig(uint64(test.count))
				cfg.GenWaitSec = service.Seconds(test.wait)
				rt, _ := testRuntime()
				if err := newGenerator(cfg, producer, rt).run(t.Context()); err != nil {
					t.Errorf("run: %v", err)
				}
				if n != test.count {
					t.Errorf("got %d transactions, want %d", n, test.count)
				}
				if wakes > test.wakes+1 {
					t.Errorf("got sent at %d times, want %d", wakes, test.wakes)
				}
			})
		})
	}
}

func TestPaceAfterAStall(t *testing.T) {
	t.Parallel()
	start := time.Now()
	for _, test := range []struct {
		name  string
		stall time.Duration
		burst int // events due at once afterwards
	}{
		{"a short one is made up for", 900 * time.Millisecond, 10},
		{"a long one is not", 30 * time.Second, 1},
	} {
		p := pace{wait: 100 * time.Millisecond}
		p.delay(start)
		now := start.Add(test.stall)
		burst := 0
		for p.delay(now) <= 0 {
			p.done()
			burst++
		}
		if burst != test.burst {
			t.Errorf("%s: got %d at once, want %d", test.name, burst, test.burst)
		}
	}
}

// TestBrokersThatDoNotAnswer runs on a clock of its own.
func TestBrokersThatDoNotAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sent := 0
		producer := newFakeProducer(func(*sarama.ProducerMessage) error {
			if sent++; sent <= 5 {
				return nil
			}
			return errKeep
		})
		rt, _ := testRuntime()
		ctx, cancel := context.WithCancel(t.Context())
		g := newGenerator(testConfig(0), producer, rt)
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
		if reasons := rt.Ready.Reasons(); len(reasons) != 1 || !strings.Contains(reasons[0], "no acknowledgement for 31s, 8192 transactions in flight") {
			t.Errorf("got reasons %q", reasons)
		}
		<-time.After(10 * time.Minute)
		if stalled := rt.Health.Stalled(); len(stalled) != 0 {
			t.Errorf("got stalled loops %v", stalled)
		}
		stopped := time.Now()
		cancel()
		err := <-done
		if err == nil || !strings.Contains(err.Error(), "8192 of 8197 transactions were not acknowledged") {
			t.Errorf("got error %v", err)
		}
		if took := time.Since(stopped); took > service.DrainBudget {
			t.Errorf("the drain took %s", took)
		}
		producer.AsyncClose() // ends the loop of the acknowledgements, as the end of the process would
		synctest.Wait()
	})
}

func TestDrainWaitsForAcknowledgements(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		producer := newFakeProducer(func(*sarama.ProducerMessage) error {
			<-time.After(10 * time.Millisecond) // slower than the generator
			return nil
		})
		rt, _ := testRuntime()
		ctx, cancel := context.WithCancel(t.Context())
		g := newGenerator(testConfig(0), producer, rt)
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
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for reasons := rt.Ready.Reasons(); !strings.Contains(strings.Join(reasons, ""), "no broker was reached yet: 127.0.0.1:1"); reasons = rt.Ready.Reasons() {
		select {
		case <-poll.C:
		case <-deadline.C:
			t.Fatalf("got reasons %v", reasons)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("serve: %v", err)
	}
}

func TestBatchesAreRunsOfOffsets(t *testing.T) {
	t.Parallel()
	rt, _ := testRuntime()
	a := newAcks(rt.Log, newCounts(rt.Metrics), func(*message) {})
	for _, m := range []sarama.ProducerMessage{
		{Topic: "SF", Partition: 1, Offset: 7}, {Topic: "SF", Partition: 1, Offset: 8}, {Topic: "SF", Partition: 1, Offset: 9},
		{Topic: "SF", Partition: 2, Offset: 10},
		{Topic: "NYC", Partition: 2, Offset: 11}, {Topic: "NYC", Partition: 2, Offset: 12},
		{Topic: "NYC", Partition: 2, Offset: 20},
	} {
		a.batch(&m)
	}
	// The last one is still open: of the others there are 3, 1 and 2.
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
	producer := newFakeProducer(func(*sarama.ProducerMessage) error {
		stop()
		return nil
	})
	g := newGenerator(testConfig(math.MaxUint64), producer, rt)
	if err := g.run(ctx); err != nil {
		t.Fatal(err)
	}
	if g.handedOver == 0 {
		t.Error("nothing was sent")
	}
}
