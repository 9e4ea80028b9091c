package install_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"fintrans/demo/embedded"
	"fintrans/demo/harness"
	"fintrans/demo/oracle"
)

const (
	generator = "/fintrans/generator"
	ingest    = "/fintrans/influx-ingest"
	detector  = "/fintrans/laundering-detector"
)

// busy makes the generator send 500 transactions a second, with rings that are complete within seconds.
var busy = []string{"--env", "generator:GEN_WAIT_SEC=0.002", "--env", "generator:RING_SPREAD=10s"}

// TestLife takes an installation from a bare cluster through everything that is done to it, under load and with
// an exact count, until nothing is left.
func TestLife(t *testing.T) {
	t.Parallel()
	c := start(t)
	before := c.dcos("marathon", "app", "list", "--json") + c.dcos("task", "--json")

	t.Log("fresh")
	began := time.Now()
	fresh := c.install(0, []string{"installing package kafka", "creating app " + detector, "money flows", "POTENTIAL MONEY LAUNDERING: ", "http://" + c.address + ":13000"}, busy...)
	t.Logf("installed in %v:\n%s", time.Since(began), fresh.stdout)
	s := c.system()
	c.followShowsAlerts(fresh.stdout)
	if got := c.report().Grafana; !slices.Contains(got.Sources, "fintrans") || len(got.Dashboards) < 3 {
		t.Errorf("Grafana has %+v, want the data source and three dashboards", got)
	}
	harness.Eventually(t, func() (bool, string) {
		got := s.Volumes()
		return len(got) == 5, fmt.Sprintf("points in InfluxDB: %v, want those of five cities", got)
	})

	t.Log("second run")
	tasks := c.live(detector)
	c.install(0, []string{"app " + detector + " is unchanged", "nothing was changed"}, busy...)
	if got := c.live(detector); !slices.Equal(got, tasks) {
		t.Errorf("the second run changed the detector's tasks from %+v to %+v", tasks, got)
	}
	c.run(c.command("./install-fintrans.sh", "--status")).expect(t, 0, "package kafka", "app "+generator)

	t.Log("scaling")
	c.dcos("marathon", "app", "update", detector, "instances=3")
	c.awaitReady(detector, 3)
	c.install(0, []string{"app " + detector + " is unchanged"}, busy...) // the number is the user's

	t.Log("killed tasks come back")
	for _, app := range []string{generator, ingest, detector} {
		if err := syscall.Kill(c.live(app)[0].PID, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	c.awaitReady(generator, 1)
	c.awaitReady(ingest, 1)
	c.awaitReady(detector, 3)

	t.Log("upgrade")
	c.install(0, []string{"updating app " + detector + " (3 instances); differs in .env.ALERT_LATENESS", "updating app " + ingest, "app " + generator + " is unchanged"},
		slices.Concat(busy, []string{"--env", "laundering-detector:ALERT_LATENESS=9m", "--env", "influx-ingest:INGEST_WAIT_SEC=0.5"})...)
	c.dcos("marathon", "app", "update", detector, "instances=1")
	c.awaitReady(detector, 1)

	t.Log("exact")
	c.dcos("marathon", "app", "update", generator, "instances=0")
	harness.Eventually(t, func() (bool, string) { return len(c.live(generator)) == 0, "the generator has not ended" })
	c.nothingIsLost(s)
	for _, task := range c.report().Tasks {
		if strings.Contains(task.Message, "Memory limit") {
			t.Errorf("%s: %s", task.ID, task.Message)
		}
	}

	t.Log("uninstall")
	refused := c.command("./install-fintrans.sh", "--uninstall")
	refused.Stdin = strings.NewReader("n\n")
	there := c.report().Apps
	c.run(refused).expect(t, 1, "Remove it? [y/N]", "nothing was changed")
	if got := c.report().Apps; !slices.Equal(got, there) {
		t.Errorf("an uninstall that was not confirmed leaves %v of %v", got, there)
	}
	c.run(c.command("./install-fintrans.sh", "--uninstall", "--yes")).expect(t, 0, "removing package kafka", "removing app "+detector)
	if after := c.dcos("marathon", "app", "list", "--json") + c.dcos("task", "--json"); after != before {
		t.Errorf("an uninstall leaves\n%s\nwant what was there before:\n%s", after, before)
	}
	c.run(c.command("./install-fintrans.sh", "--uninstall", "--yes")).expect(t, 0, "there is no app of fintrans")
	c.run(c.command("./install-fintrans.sh", "--status")).expect(t, 1, "missing")
}

// servers are those that the stand-in runs, as the harness wants them.
type servers struct {
	kafka, influx string
	t             testing.TB
}

func (s servers) Addrs() []string     { return []string{s.kafka} }
func (s servers) URL() string         { return s.influx }
func (s servers) Failed() int64       { return 0 }
func (s servers) Fail(embedded.Fault) { s.t.Fatal("the stand-in's InfluxDB does not fail") }
func (s servers) Stop() error         { return errNotOurs }
func (s servers) Start() error        { return errNotOurs }
func (s servers) Down(...int)         { s.t.Fatal("the stand-in's Kafka does not go away") }
func (s servers) Up(...int) error     { return errNotOurs }

var errNotOurs = fmt.Errorf("the stand-in's servers are its own: %w", os.ErrInvalid)

// system lets the harness look into the servers of the cluster.
func (c *cluster) system() *harness.System {
	c.t.Helper()
	addresses := c.report().Servers
	return harness.NewSystem(c.t, func(t testing.TB, _ harness.Need) harness.Servers {
		own := servers{addresses["kafka"], addresses["influxdb"], t}
		return harness.Servers{Kafka: own, Influx: own}
	}, harness.Need{Partitions: harness.NoTopics})
}

// followShowsAlerts runs the line that the installer ends with until it shows an alert.
func (c *cluster) followShowsAlerts(said string) {
	c.t.Helper()
	var line []string
	for text := range strings.Lines(said) {
		if strings.Contains(text, "dcos task log --follow ") {
			line = strings.Fields(text)
		}
	}
	if line == nil {
		c.t.Fatalf("the installer does not say how to follow the alerts:\n%s", said)
	}
	out, err := os.Create(filepath.Join(c.t.TempDir(), "follow"))
	if err != nil {
		c.t.Fatal(err)
	}
	defer out.Close()
	follow := c.command(line[0], line[1:]...)
	follow.Stdout = out
	if err := follow.Start(); err != nil {
		c.t.Fatal(err)
	}
	harness.Eventually(c.t, func() (bool, string) {
		text, err := os.ReadFile(out.Name())
		return strings.Contains(string(text), "POTENTIAL MONEY LAUNDERING: "), fmt.Sprintf("%v shows %q, %v", line, text, err)
	})
	_ = follow.Process.Signal(syscall.SIGTERM) // it follows for ever
	_ = follow.Wait()                          // a signal is no failure here
}

// nothingIsLost compares InfluxDB and the alerts of all detectors that ever ran with what is in the topics.
func (c *cluster) nothingIsLost(s *harness.System) {
	c.t.Helper()
	s.AwaitCommitted("laundering-detector", harness.Cities()...)
	var transfers []oracle.Transfer
	want := map[string]harness.Volume{}
	for _, record := range s.Log(harness.Cities()...) {
		var source, target, amount uint32
		if _, err := fmt.Sscanf(string(record.Value), "%d %d %d", &source, &target, &amount); err != nil {
			c.t.Fatalf("%s/%d offset %d: %q: %v", record.City, record.Partition, record.Offset, record.Value, err)
		}
		transfers = append(transfers, oracle.Transfer{Source: source, Target: target, Amount: amount, At: record.Time.UnixMilli()})
		volume := want[record.City]
		want[record.City] = harness.Volume{Count: volume.Count + 1, Sum: volume.Sum + int64(amount)}
	}
	s.AwaitVolumes(want)
	var lines []string
	for _, task := range c.report().Tasks {
		if task.App != detector {
			continue
		}
		text, err := os.ReadFile(filepath.Join(task.Sandbox, "stdout"))
		if err != nil {
			c.t.Fatal(err)
		}
		if len(text) > 0 {
			lines = append(lines, strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")...)
		}
	}
	alerts, err := oracle.ParseAlerts(lines)
	if err != nil {
		c.t.Fatal(err)
	}
	wrong := oracle.Rule{Threshold: 10_000, Window: time.Hour.Milliseconds()}.Check(alerts, transfers)
	for _, err := range wrong[:min(5, len(wrong))] {
		c.t.Error(err)
	}
	c.t.Logf("%d transactions, %d alerts", len(transfers), len(alerts))
}
