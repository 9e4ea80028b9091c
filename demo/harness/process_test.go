package harness_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"fintrans/demo/harness"
)

func TestMain(m *testing.M) {
	status := harness.Main(m)
	if dir, err := fake(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(status)
}

// fake builds testdata/fake and returns the directory with the binary.
var fake = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "fintrans-fake-")
	if err != nil {
		return "", err
	}
	return dir, exec.Command("go", "build", "-o", filepath.Join(dir, "fake"), "./testdata/fake").Run()
})

func startFake(t *testing.T, env harness.Env, options harness.Options) *harness.Process {
	t.Helper()
	dir, err := fake()
	if err != nil {
		t.Fatal(err)
	}
	options.Binaries = dir
	return harness.Start(t, "fake", env, options)
}

func TestProcessIsCollectedOverRestarts(t *testing.T) {
	t.Parallel()
	p := startFake(t, harness.Env{"LINES": "one two"}, harness.Options{})
	first := p.URL()
	if got := p.Term(); got != 3 {
		t.Errorf("exit status %d, want 3", got)
	}
	p.Restart()
	if second := p.URL(); second == first {
		t.Errorf("URL %s is that of the process that has ended", second)
	}
	p.Kill()
	if got := p.Wait(); got != -1 {
		t.Errorf("exit status %d after SIGKILL, want -1", got)
	}
	if p.Running() {
		t.Error("it runs after SIGKILL")
	}
	if got, want := p.Stdout(), []string{"one", "two", "terminated", "one", "two"}; !slices.Equal(got, want) {
		t.Errorf("stdout %q, want %q", got, want)
	}
	if got := p.PeakMemory(); got < 1<<20 || got > 1<<30 {
		t.Errorf("peak memory %d bytes, want some MiB", got)
	}
}

func TestProcessInheritsNoSettings(t *testing.T) {
	t.Setenv("BROKER", "production:9092")
	p := startFake(t, harness.Env{"ALERT_WINDOW": "0"}, harness.Options{})
	p.AwaitLog("msg=variable ALERT_WINDOW=0")
	p.AwaitReady()
	for _, line := range p.Log() {
		if strings.Contains(line, "production") {
			t.Errorf("a setting of the caller arrived: %s", line)
		}
	}
}

func TestProcessWithStdoutHeld(t *testing.T) {
	t.Parallel()
	const many = 50_000 // of 2 bytes each: more than any pipe holds
	p := startFake(t, harness.Env{"MANY": strconv.Itoa(many)}, harness.Options{HoldStdout: true})
	p.AwaitStdoutFull(2)
	if got := p.Stdout(); len(got) > 0 {
		t.Errorf("%d lines were read, want none", len(got))
	}
	p.ReleaseStdout()
	p.AwaitLog("msg=listening") // which comes after the lines
	p.Kill()
	if got := len(p.Stdout()); got != many {
		t.Errorf("%d lines, want %d", got, many)
	}
}

func TestMetric(t *testing.T) {
	t.Parallel()
	p := startFake(t, nil, harness.Options{})
	tests := []struct {
		name    string
		labels  harness.Labels
		sum     float64
		samples int
	}{
		{"bad_total", nil, 3002, 2},
		{"bad_total", harness.Labels{"topic": "SF"}, 2, 1},
		{"bad_total", harness.Labels{"reason": `a "b"`}, 3002, 2},
		{"bad_total", harness.Labels{"topic": "Tokyo"}, 0, 0},
		{"up", nil, 1, 1},
		{"bad", nil, 0, 0},
	}
	for _, test := range tests {
		sum, samples := p.Metric(test.name, test.labels)
		if sum != test.sum || samples != test.samples {
			t.Errorf("%s%v: %v of %d samples, want %v of %d", test.name, test.labels, sum, samples, test.sum, test.samples)
		}
	}
}
