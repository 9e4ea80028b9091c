package cases

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"fintrans/demo/embedded"
	"fintrans/demo/harness"
	"fintrans/demo/oracle"
)

// recent are transactions of five cities that InfluxDB's retention has room for.
var recent = flow{
	seed: 5, number: 12_000, accounts: 30, largest: 9999, span: 40 * time.Minute, weights: []int{16, 8, 4, 2, 1},
}

// TopicsComeLate starts the consumers before there are topics, which come one by one: both wait, and say
// for which.
func TopicsComeLate(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{Partitions: harness.NoTopics})
	// What comes into topics that were just created may not come at once: that must not make it late.
	in, det := s.Start(ingest, quick), s.Start(detector, rules(tenMinutes, time.Hour))
	cities := harness.Cities()
	rand.New(rand.NewPCG(6, 0)).Shuffle(len(cities), func(i, j int) { cities[i], cities[j] = cities[j], cities[i] })
	for i, city := range cities {
		for _, p := range []*harness.Process{in, det} {
			awaitNotReady(t, p, cities[i])
		}
		s.CreateTopics(3, city)
	}
	in.AwaitReady()
	det.AwaitReady()
	records := recent.transactions()
	s.Produce(records...)
	s.AwaitVolumes(volumes(records))
	awaitJudged(t, det, len(records))
	term(t, in, det)
	report(t, tenMinutes.Check(alerts(t, det), transfers(records)))
}

// KafkaComesLateAndGoes starts the consumers before there is a broker, and takes all brokers away in
// mid-stream.
func KafkaComesLateAndGoes(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{Brokers: 3})
	records := recent.transactions()
	s.Kafka.Down()
	// Of brokers that come back, one may take its records seconds after the others: that must not make them late.
	in, det := s.Start(ingest, quick), s.Start(detector, rules(tenMinutes, time.Hour))
	for _, p := range []*harness.Process{in, det} {
		awaitNotReady(t, p, "no broker was reached yet")
	}
	up(t, s)

	half := len(records) / 2
	s.Produce(records[:half]...)
	s.AwaitVolumes(volumes(records[:half]))
	awaitJudged(t, det, half) // it may have found Kafka later than the ingest: each pauses between its attempts
	s.Kafka.Down()
	awaitMetric(t, in, "influx_ingest_kafka_errors_total", 1)
	awaitMetric(t, det, "laundering_detector_kafka_errors_total", 1)
	up(t, s)
	s.Produce(records[half:]...)
	s.AwaitVolumes(volumes(records))
	s.AwaitCommitted(detector, harness.Cities()...)
	term(t, in, det)
	report(t, tenMinutes.Check(alerts(t, det), transfers(records)))
}

func up(t testing.TB, s *harness.System) {
	t.Helper()
	if err := s.Kafka.Up(); err != nil {
		t.Fatal(err)
	}
}

// InfluxComesLateAndGoes starts the ingest before there is an InfluxDB, and takes it away in mid-stream.
func InfluxComesLateAndGoes(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	stop := func() {
		t.Helper()
		if err := s.Influx.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	in := s.Start(ingest, quick)
	records := recent.transactions()
	sent := 0
	for part := range slices.Chunk(records, len(records)/3+1) {
		s.Produce(part...)
		sent += len(part)
		awaitMetric(t, in, "influx_ingest_retries_total", 1)
		if err := s.Influx.Start(); err != nil {
			t.Fatal(err)
		}
		s.AwaitVolumes(volumes(records[:sent]))
		stop()
	}
	if err := s.Influx.Start(); err != nil {
		t.Fatal(err)
	}
	s.AwaitCommitted(ingest, harness.Cities()...)
	term(t, in)
}

// InfluxFails makes InfluxDB refuse, hang, cut connections and lose answers: what it did store is not there
// twice, what it did not store comes again.
func InfluxFails(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	faults := []embedded.Fault{
		{Status: http.StatusServiceUnavailable, Body: "<html>the proxy is busy</html>"},
		{Status: http.StatusInternalServerError},
		{Status: http.StatusTooManyRequests},
		{Status: http.StatusUnauthorized, Body: `{"error":"authorization failed"}`},
		{Status: http.StatusRequestEntityTooLarge, Larger: 2000},
		{Status: http.StatusInternalServerError, Body: `{"error":"write wal: no space left on device"}`},
		{Status: http.StatusBadRequest, Body: `{"error":"partial write: points beyond retention policy dropped=`, CutAnswer: true},
		{Cut: true},
		{LoseAnswer: true},
		{HalfAnswer: true},
		{Hang: true},
	}
	in := s.Start(ingest, quick)
	records := recent.transactions()
	sent := 0
	for i, part := range slices.Collect(slices.Chunk(records, len(records)/len(faults)+1)) {
		fault := faults[i]
		fault.Path = "/write"
		before := s.Influx.Failed()
		s.Influx.Fail(fault)
		s.Produce(part...)
		sent += len(part)
		harness.Eventually(t, func() (bool, string) {
			failed := s.Influx.Failed() - before
			return failed >= 2 || fault.Hang && failed >= 1, fmt.Sprintf("%d writes failed with %+v", failed, fault)
		})
		s.Influx.Fail(embedded.Fault{})
		s.AwaitVolumes(volumes(records[:sent]))
	}
	term(t, in)
}

// DatabaseIsDropped drops the database, and then its policies, while money flows: the ingest makes them again,
// and what comes afterwards is stored.
func DatabaseIsDropped(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	in := s.Start(ingest, quick)
	drops := []string{
		`DROP DATABASE fintrans`,
		`DROP RETENTION POLICY "hour" ON fintrans`,
		`DROP RETENTION POLICY "hour" ON fintrans; DROP RETENTION POLICY "month" ON fintrans`,
		`DROP MEASUREMENT transactions`,
	}
	records := recent.transactions()
	for i, part := range slices.Collect(slices.Chunk(records, len(records)/len(drops)+1)) {
		s.Produce(part...)
		s.AwaitVolumes(volumes(part))
		s.AwaitCommitted(ingest, harness.Cities()...)
		s.Query(drops[i])
	}
	last := harness.Transfer("SF", time.UnixMilli(time.Now().UnixMilli()), 1, 2, 3)
	s.Produce(last)
	s.AwaitVolumes(volumes([]harness.Record{last}))
	term(t, in)
}

// RecordsWithoutKey shows that what producers send that set no key, as that of 2016, counts where there is
// one partition.
func RecordsWithoutKey(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{Partitions: 1})
	flow := recent
	flow.weights, flow.largest = []int{1}, 3000
	records := flow.transactions()
	for i := range records {
		records[i].Key, records[i].Partition = nil, 0
	}
	in, det := s.Start(ingest, quick), s.Start(detector, rules(tenMinutes, 10*time.Minute))
	s.Produce(records...)
	s.AwaitVolumes(volumes(records))
	awaitJudged(t, det, len(records))
	if misrouted, samples := det.Metric("laundering_detector_misrouted_records_total", nil); misrouted != 0 || samples != 1 {
		t.Errorf("%v misrouted records in %d samples, want none in one", misrouted, samples)
	}
	term(t, in, det)
	// One partition: the order of the alerts is that of the log.
	if got, want := alerts(t, det), tenMinutes.Replay(transfers(records)); !slices.Equal(got, want) || len(want) == 0 {
		t.Errorf("%d alerts, want %d: %+v", len(got), len(want), oracle.Compare(got, want))
	}
}

// awaitNotReady waits until /ready answers 503 with a reason that contains the text.
func awaitNotReady(t testing.TB, p *harness.Process, reason string) {
	t.Helper()
	harness.Eventually(t, func() (bool, string) {
		status, body := p.Get("/ready")
		return status == http.StatusServiceUnavailable && strings.Contains(body, reason),
			fmt.Sprintf("/ready of %v answers %d, %q, want 503 because of %q", p, status, body, reason)
	})
}

// awaitMetric waits until the sum of a metric's samples is this at least.
func awaitMetric(t testing.TB, p *harness.Process, name string, least float64) {
	t.Helper()
	harness.Eventually(t, func() (bool, string) {
		got, samples := p.Metric(name, nil)
		return got >= least, fmt.Sprintf("%s of %v is %v in %d samples, want %v at least", name, p, got, samples, least)
	})
}
