package cases

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"fintrans/demo/embedded"
	"fintrans/demo/harness"
)

// Impatient are the cases that need services of which the limits of time are shortened: a loop counts as
// stalled after StallLimit, and what has to last for half a minute or a minute to count against
// readiness has to last for seconds. With the variable STALL a loop of that name ticks no more.
func Impatient() []Case {
	return []Case{
		{"StalledLoopIsNamed", StalledLoopIsNamed},
		{"IdleIsHealthy", IdleIsHealthy},
		{"AwayBrokerIsHealthy", AwayBrokerIsHealthy},
		{"ReadyWithoutWork", ReadyWithoutWork},
		{"MarkerIsNoLag", MarkerIsNoLag},
		{"PartitionCountsDiffer", PartitionCountsDiffer},
		{"PartitionsAreAddedToOneTopic", PartitionsAreAddedToOneTopic},
		{"StuckStdoutIsNotReady", StuckStdoutIsNotReady},
		{"AwayInfluxIsNotReady", AwayInfluxIsNotReady},
		{"AlertTroubleIsNotReady", AlertTroubleIsNotReady},
		{"PartitionsAreAdded", PartitionsAreAdded},
	}
}

// StallLimit is the age of a loop's tick that /health of impatient services takes for a stall.
const StallLimit = 5 * time.Second

// awhile is longer than every limit of impatient services.
const awhile = StallLimit + 2*time.Second

// StalledLoopIsNamed stops the ticks of each loop of each service, one a process: /health says which.
func StalledLoopIsNamed(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	loops := map[string][]string{
		"generator": {"produce", "acknowledge"},
		ingest:      {"claim Tokyo/0", "write", "commit when written", "commit", "group", "lag", "alerts claim alerts/1", "alerts write", "alerts group", "alerts lag", "report"},
		detector:    {"claim London/3", "print", "memory", "commit", "group", "lag", "publish", "alert topic", "pipeline"},
	}
	s.CreateTopics(6, alertsTo)
	stalling := map[*harness.Process]string{}
	for service, names := range loops {
		for _, name := range names {
			env := harness.Env{"STALL": name}
			if service != "generator" {
				env["KAFKA_GROUP"] = name // of its own: it has all claims
				env["ALERTS_TOPIC"], env["PIPELINE_TOPIC"] = alertsTo, pipelineTo
			}
			stalling[s.Start(service, env)] = name
		}
		stalling[s.Start(service, with(nowhere(service), "STALL", "connect"))] = "connect"
	}
	for p, name := range stalling {
		awaitStalled(t, p, name)
	}
}

// awaitStalled waits until /health says that the loop, and no other, has stalled.
func awaitStalled(t testing.TB, p *harness.Process, loop string) {
	t.Helper()
	harness.Eventually(t, func() (bool, string) {
		status, body := p.Get("/health")
		return status == http.StatusServiceUnavailable && strings.HasPrefix(body, loop+": no tick for "),
			fmt.Sprintf("/health of %v answers %d, %q, want 503 because of %q", p, status, body, loop)
	})
}

// remain watches for longer than every limit that a page of all processes answers 200.
func remain(t testing.TB, page string, processes ...*harness.Process) {
	t.Helper()
	begin := time.Now()
	harness.Eventually(t, func() (bool, string) {
		for _, p := range processes {
			if status, body := p.Get(page); status != http.StatusOK {
				t.Fatalf("%s of %v answers %d, %q, want 200 all the time", page, p, status, body)
			}
		}
		return time.Since(begin) > awhile, "the watch is not over"
	})
}

// IdleIsHealthy shows that services are healthy that have nothing to do: because the topics are empty,
// and because there is neither a broker nor an InfluxDB yet.
func IdleIsHealthy(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	var all []*harness.Process
	for _, service := range services {
		lonely := s.Start(service, nowhere(service))
		awaitNotReady(t, lonely, "broker: no broker was reached yet: 127.0.0.1:1")
		all = append(all, lonely, s.Start(service, with(nil, "LOG_LEVEL", "debug")))
	}
	remain(t, "/health", all...)
	term(t, all...)
}

// AwayBrokerIsHealthy takes the brokers away while money flows: everybody is healthy, and says that it
// is not ready; and is ready when they are back.
func AwayBrokerIsHealthy(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	generator := s.Start("generator", harness.Env{"GEN_WAIT_SEC": "0.01"})
	in, det := s.Start(ingest, quick), s.Start(detector, nil)
	for _, p := range []*harness.Process{generator, in, det} {
		p.AwaitReady()
	}
	awaitMore(t, s, 100)
	s.Kafka.Down()
	remain(t, "/health", generator, in, det)
	awaitNotReady(t, generator, "acknowledgements: no acknowledgement for ")
	awaitNotReady(t, in, "topics: Kafka does not answer: ")
	awaitNotReady(t, det, "topics: Kafka does not answer: ")
	up(t, s)
	for _, p := range []*harness.Process{generator, in, det} {
		p.AwaitReady()
	}
	term(t, generator)
	s.AwaitVolumes(volumes(s.Log(harness.Cities()...)))
	term(t, in, det)
}

// StuckStdoutIsNotReady lets nobody read the detector's stdout: it is healthy, says that it is not ready and
// that records wait, and goes on when somebody reads.
func StuckStdoutIsNotReady(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	det := s.Start(detector, rules(tenMinutes, 10*time.Minute), harness.Options{HoldStdout: true})
	records := oneCity.transactions()
	s.Produce(records...)
	det.AwaitStdoutFull(line)
	remain(t, "/health", det)
	awaitNotReady(t, det, "stdout: standard output takes no alert")
	awaitNotReady(t, det, "lag: records wait and none is dealt with: London/")
	det.ReleaseStdout()
	det.AwaitReady()
	awaitJudged(t, det, len(records))
	term(t, det)
}

// AwayInfluxIsNotReady lets InfluxDB hang, and then go: the ingest is healthy, says that it is not ready and
// that records wait, and catches up when it is back.
func AwayInfluxIsNotReady(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	in := s.Start(ingest, quick)
	in.AwaitReady()
	s.Influx.Fail(embedded.Fault{Hang: true})
	records := recent.transactions()
	s.Produce(records...)
	remain(t, "/health", in)
	awaitNotReady(t, in, "lag: records wait and none is dealt with: London/")
	if err := s.Influx.Stop(); err != nil {
		t.Fatal(err)
	}
	remain(t, "/health", in)
	awaitNotReady(t, in, "influx: InfluxDB takes no writes: ")
	if err := s.Influx.Start(); err != nil {
		t.Fatal(err)
	}
	s.Influx.Fail(embedded.Fault{})
	s.AwaitVolumes(volumes(records))
	in.AwaitReady()
	term(t, in)
}

// AlertTroubleIsNotReady has an ingest wait for an alert topic that is not there, and a detector publish to one
// without the partition for it: both say so, are healthy, and are ready when it is there.
func AlertTroubleIsNotReady(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{Partitions: 2})
	in := s.Start(ingest, publishing(quick))
	awaitNotReady(t, in, "alerts topics: missing topics: alerts")
	s.CreateTopics(1, alertsTo)
	in.AwaitReady()
	det := s.Start(detector, publishing(rules(tenMinutes, 10*time.Minute)))
	now := time.UnixMilli(time.Now().UnixMilli())
	s.Produce(transfer("NYC", now, pairsOf(2, 1, 1)[0], 10_001))
	awaitLines(t, det, 1)
	awaitNotReady(t, det, "alerts: the alert topic alerts has no partition 1: add partitions until it has as many as the cities' topics")
	remain(t, "/health", in, det)
	s.AddPartitions(1, alertsTo)
	det.AwaitReady()
	awaitPublished(t, det, 1)
	term(t, in, det)
}
