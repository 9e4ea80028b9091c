package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"fintrans/demo/harness"
)

// TestMain is also the demo, when the variable ROLE says so.
func TestMain(m *testing.M) {
	if os.Getenv("ROLE") == "demo" {
		main()
	}
	os.Exit(harness.Main(m))
}

func TestDemo(t *testing.T) {
	t.Parallel()
	d := startDemo(t, "RATE=40", "GEN_SEED=5")
	d.await("^Kafka .* 127.0.0.1:[0-9]+ \\(embedded\\)")
	d.await("^InfluxDB .* http://127.0.0.1:[0-9]+ \\(embedded\\)")
	for _, of := range []string{generator, ingest, detector} {
		d.await("^" + of + " +http://127.0.0.1:[0-9]+/ready")
	}
	d.await("^POTENTIAL MONEY LAUNDERING: ")
	d.await("^the past hour in dollars")
	d.await("^all +[1-9]") // of the table
	d.showsAlert(strings.Fields(d.await("^dashboards +http://127.0.0.1:[0-9]+/d/fintrans/fintrans \\(preview\\)$"))[1])
	d.signal(syscall.SIGINT)
	if status := d.wait(); status != 0 {
		t.Errorf("exit status %d, want 0", status)
	}
	d.checkSums(10)
	d.checkScore(1)
	if strings.Contains(strings.Join(d.output(), ""), "\x1b") || d.stderr.Len() > 0 {
		t.Errorf("control sequences on stdout or something on stderr: %q %q", d.output(), &d.stderr)
	}
	if len(alertLines(d.output())) == 0 {
		t.Error("no line of the detector, unchanged")
	}
}

// TestForEndsIt needs no alert: there may not be time for one.
func TestForEndsIt(t *testing.T) {
	t.Parallel()
	d := startDemo(t, "RATE=40", "FOR=1s")
	if status := d.wait(); status != 0 {
		t.Errorf("exit status %d, want 0", status)
	}
	d.checkSums(-1)
}

func TestServicesAreKilledEachSecond(t *testing.T) {
	t.Parallel()
	d := startDemo(t, "RATE=50")
	d.await("^POTENTIAL MONEY LAUNDERING: ")
	const kills = 2 // of each service
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for n := range 3 * kills {
		of := []string{generator, ingest, detector}[n%3]
		<-tick.C
		harness.Eventually(t, func() (bool, string) { return d.send(of, syscall.SIGKILL), of + " does not run" })
		harness.Eventually(t, func() (bool, string) {
			died := d.count("^" + of + " died \\(signal: killed\\) and starts again in 1")
			return died == 1+n/3, fmt.Sprintf("%s has died %d times, want %d", of, died, 1+n/3)
		})
	}
	d.signal(syscall.SIGINT)
	if status := d.wait(); status != 0 {
		t.Errorf("exit status %d, want 0", status)
	}
	d.checkSums(10)
	d.checkScore(1)
}

func TestInterruptedInMidStart(t *testing.T) {
	t.Parallel()
	for _, moment := range []string{"", "^Kafka ", "^influx-ingest ", "^generator "} {
		t.Run(moment, func(t *testing.T) {
			t.Parallel()
			d := startDemo(t, "RATE=50")
			if moment == "" {
				awaitStart(t, d)
			} else {
				d.await(moment)
			}
			d.signal(syscall.SIGINT)
			if status := d.wait(); status != 0 {
				t.Errorf("exit status %d, want 0", status)
			}
			if moment != "" {
				d.checkSums(-1)
			}
		})
	}
}

// awaitStart waits until the demo has begun to use its folder: signals have a meaning then.
func awaitStart(t *testing.T, d *running) {
	t.Helper()
	harness.Eventually(t, func() (bool, string) {
		left, err := os.ReadDir(d.temp)
		return err == nil && len(left) > 0, "the demo has made no folder"
	})
}

func TestInterruptedTwice(t *testing.T) {
	t.Parallel()
	for _, moment := range []string{"^Kafka ", "^the past hour"} {
		t.Run(moment, func(t *testing.T) {
			t.Parallel()
			d := startDemo(t, "RATE=50")
			d.await(moment)
			// Where nothing was sent yet, the drain could be over before the second signal.
			harness.Eventually(t, func() (bool, string) { return d.send(generator, syscall.SIGSTOP), "no generator to be held up" })
			d.signal(syscall.SIGINT)
			d.await("^draining")
			d.signal(syscall.SIGINT)
			status := d.wait()
			if status != 1 || !strings.Contains(d.stderr.String(), "interrupted a second time") {
				t.Errorf("exit status %d, stderr %q, want 1 and why", status, &d.stderr)
			}
		})
	}
}

func TestReaderGoesAway(t *testing.T) {
	t.Parallel()
	d := startDemo(t, "RATE=50")
	d.await("^POTENTIAL")
	_ = d.stdout.Close()
	if status := d.wait(); status != 1 || !strings.Contains(d.stderr.String(), "write to stdout") {
		t.Errorf("exit status %d, stderr %q, want 1 and why", status, &d.stderr)
	}
}

func TestKilledDemoTakesItsServicesAlong(t *testing.T) {
	t.Parallel()
	d := startDemo(t, "RATE=50")
	d.await("^POTENTIAL")
	if got := len(d.processes()); got != 3 {
		t.Errorf("%d services run, want 3", got)
	}
	d.signal(syscall.SIGKILL)
	harness.Eventually(t, func() (bool, string) {
		left := d.processes()
		return len(left) == 0, fmt.Sprintf("left running: %v", left)
	})
}

// TestServersOfOnesOwn have old records in their topics, and others write to them during the run.
func TestServersOfOnesOwn(t *testing.T) {
	t.Parallel()
	s := harness.NewSystem(t, harness.Embedded, harness.Need{})
	ring := map[string]string{"ring": "1", "ring-transfers": "2"}
	old := time.Now().Add(-time.Minute)
	for _, city := range []string{"London", "Tokyo"} { // a ring that somebody else had to detect
		record := harness.Transfer(city, old, 1, 2, 9000)
		record.Headers = ring
		s.Produce(record)
	}
	d := startDemo(t, "RATE=40", "KAFKA="+strings.Join(s.Kafka.Addrs(), ","), "INFLUX="+s.Influx.URL())
	d.await("^POTENTIAL MONEY LAUNDERING: ")
	again := harness.Transfer("London", time.Now(), 1, 2, 9000) // the pair is over the threshold already
	again.Headers = ring
	s.Produce(again, harness.Transfer("SF", time.Now(), 3, 4, 5),
		harness.Record{City: "SF", Partition: 0, Value: []byte("noise"), Time: time.Now()})
	d.signal(syscall.SIGINT)
	if status := d.wait(); status != 0 {
		t.Errorf("exit status %d, want 0", status)
	}
	d.checkSums(5)
	d.checkScore(1)
	d.await("^further records, which are no transactions: 1$")
	d.await("; 2 stored by others, or acknowledgement lost")
	if lines := alertLines(d.output()); slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, ": 1 -> 2 ") }) {
		t.Errorf("alerts %q, want none of a pair that was over the threshold before", lines)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(s.Kafka.Addrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	groups, err := kadm.NewClient(client).ListGroups(t.Context())
	if err != nil || len(groups) > 0 {
		t.Errorf("groups left behind: %v %v", groups.Groups(), err)
	}
}

// execute runs a demo that is expected to end at once.
func execute(t *testing.T, args []string, settings ...string) (status int, stdout, stderr string) {
	t.Helper()
	command := exec.Command(os.Args[0], args...)
	command.Env = append([]string{"ROLE=demo", "TMPDIR=" + t.TempDir()}, settings...)
	var out, err strings.Builder
	command.Stdout, command.Stderr = &out, &err
	if failed := command.Run(); command.ProcessState == nil {
		t.Fatal(failed)
	}
	return command.ProcessState.ExitCode(), out.String(), err.String()
}

func TestSettingsThatAreNotValid(t *testing.T) {
	t.Parallel()
	for setting, expected := range map[string]string{
		"RATE=fast": "expected a decimal number", "RATE=0": "from 0.1 to 10000", "FOR=20": "expected a Go duration", "FOR=-1s": "expected a Go duration",
		"ALERT_THRESHOLD=10": "from 100 to 500000", "ALERT_WINDOW=-1h": "expected a Go duration", "GEN_ACCOUNTS=1": "from 2 to",
		"GEN_SEED=x": "expected a whole number", "RING_SHARE=2": "from 0 to 1", "KAFKA=nohost": "expected host:port", "DASHBOARDS=here": "expected host:port or :port", "INFLUX=here": "expected http://",
	} {
		status, stdout, stderr := execute(t, nil, setting)
		variable, _, _ := strings.Cut(setting, "=")
		if status != 2 || stdout != "" || !strings.HasPrefix(stderr, "demo: "+variable+": ") || !strings.Contains(stderr, expected) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: exit status %d, stdout %q, stderr %q, want 2, nothing and one line with %q", setting, status, stdout, stderr, expected)
		}
	}
	if status, stdout, _ := execute(t, []string{"--help"}, "RATE=fast"); status != 0 || !strings.Contains(stdout, "--rate=NUMBER, RATE (default 20; from 0.1 to 10000)") {
		t.Errorf("--help: exit status %d, %q", status, stdout)
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	full := t.TempDir()
	for _, of := range []string{generator, ingest, detector} {
		if err := os.WriteFile(filepath.Join(full, of), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		settings []string
		says     string
	}{
		{[]string{"BINARIES=" + empty}, "'make demo' builds the services"},
		{[]string{"BINARIES=" + full, "INFLUX=http://127.0.0.1:1"}, "INFLUX: InfluxDB: "},
		{[]string{"BINARIES=" + full}, "start influx-ingest: "},
	} {
		status, _, stderr := execute(t, nil, test.settings...)
		if status != 1 || !strings.HasPrefix(stderr, "demo: ") || !strings.Contains(stderr, test.says) {
			t.Errorf("%v: exit status %d, stderr %q, want 1 and %q", test.settings, status, stderr, test.says)
		}
	}
}
