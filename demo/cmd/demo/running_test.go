package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"fintrans/demo/harness"
	"fintrans/demo/oracle"
)

// running is a demo as a process, with its services and its temporary files in folders of its own.
type running struct {
	t        *testing.T
	command  *exec.Cmd
	binaries string
	temp     string
	stdout   *os.File // our end
	stderr   bytes.Buffer
	read     chan struct{}

	mu    sync.Mutex
	lines []string
}

// startDemo starts a demo with these settings.
func startDemo(t *testing.T, settings ...string) *running {
	t.Helper()
	d := &running{t: t, binaries: t.TempDir(), temp: t.TempDir(), read: make(chan struct{})}
	for _, of := range []string{generator, ingest, detector} {
		// Linked under a name of its own, by which the processes of this demo are found.
		link(t, filepath.Join(harness.Binaries(t, of), of), filepath.Join(d.binaries, of))
	}
	d.command = exec.Command(os.Args[0])
	d.command.Env = append([]string{"ROLE=demo", "BINARIES=" + d.binaries, "TMPDIR=" + d.temp, "DASHBOARDS=127.0.0.1:0"}, settings...)
	d.command.Stderr = &d.stderr
	stdout, err := d.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	d.stdout = stdout.(*os.File)
	if err := d.command.Start(); err != nil {
		t.Fatal(err)
	}
	go d.collect()
	t.Cleanup(func() {
		_ = d.command.Process.Kill()
		<-d.read
		if t.Failed() {
			t.Logf("the demo wrote:\n%s\n%s", strings.Join(d.output(), "\n"), &d.stderr)
		}
	})
	return d
}

// link gives a file another name, or copies it where that cannot be.
func link(t *testing.T, from, to string) {
	t.Helper()
	if os.Link(from, to) == nil {
		return
	}
	program, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, program, 0o700)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (d *running) collect() {
	defer close(d.read)
	reader := bufio.NewScanner(d.stdout)
	for reader.Scan() {
		d.mu.Lock()
		d.lines = append(d.lines, reader.Text())
		d.mu.Unlock()
	}
}

func (d *running) output() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.lines...)
}

// await waits for a line that matches.
func (d *running) await(pattern string) string {
	d.t.Helper()
	found, matches := "", regexp.MustCompile(pattern).MatchString
	harness.Eventually(d.t, func() (bool, string) {
		for _, line := range d.output() {
			if matches(line) {
				found = line
				return true, ""
			}
		}
		return false, fmt.Sprintf("no line %s in %q", pattern, d.output())
	})
	return found
}

// processes are the services of this demo, by their process ids.
func (d *running) processes() map[int]string {
	d.t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		d.t.Fatal(err)
	}
	found := map[int]string{}
	for _, link := range links {
		path, err := os.Readlink(link) // fails for a process that has ended since
		if err == nil && filepath.Dir(path) == d.binaries {
			process, err := strconv.Atoi(filepath.Base(filepath.Dir(link)))
			if err != nil {
				d.t.Fatal(err)
			}
			found[process] = filepath.Base(path)
		}
	}
	return found
}

// wait waits for the end of the demo, which must leave nothing behind, and returns its exit status.
func (d *running) wait() int {
	d.t.Helper()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		<-d.read
		_ = d.command.Wait() // the state says it all
	}()
	limit := time.NewTimer(2 * harness.Patience)
	defer limit.Stop()
	select {
	case <-ended:
	case <-limit.C:
		d.t.Fatalf("the demo goes on after %v", 2*harness.Patience)
	}
	d.leavesNothing()
	for _, line := range append(d.output(), d.stderr.String()) {
		if strings.Contains(line, "DATA RACE") || strings.Contains(line, "panic: ") {
			d.t.Error(line)
		}
	}
	return d.command.ProcessState.ExitCode()
}

func (d *running) leavesNothing() {
	d.t.Helper()
	if left := d.processes(); len(left) > 0 {
		d.t.Errorf("left running: %v", left)
	}
	left, err := os.ReadDir(d.temp)
	if err != nil || len(left) > 0 {
		d.t.Errorf("left behind: %v %v", left, err)
	}
}

func (d *running) signal(signal syscall.Signal) {
	d.t.Helper()
	if err := d.command.Process.Signal(signal); err != nil {
		d.t.Fatal(err)
	}
}

// numbers finds the numbers of a line.
func numbers(line string) (found []int64) {
	for _, text := range regexp.MustCompile(`[0-9][0-9,]*`).FindAllString(line, -1) {
		number, _ := strconv.ParseInt(strings.ReplaceAll(text, ",", ""), 10, 64)
		found = append(found, number)
	}
	return found
}

// checkSums looks at the summary: as many points as transactions, more than these, and all acknowledged.
func (d *running) checkSums(least int64) {
	d.t.Helper()
	all := d.output()
	at := slices.IndexFunc(all, func(line string) bool { return strings.HasPrefix(line, "summary of ") })
	if at < 0 || at+7 >= len(all) {
		d.t.Fatal("no summary")
	}
	sums := numbers(all[at+7]) // below the heading and the cities
	if len(sums) != 4 || sums[0] <= least || sums[0] != sums[2] || sums[1] != sums[3] {
		d.t.Errorf("sums %v, want more than %d, and as many points", sums, least)
	}
	if acknowledged := numbers(d.await("^acknowledged by the generator: ")); acknowledged[0] > sums[0] {
		d.t.Errorf("%v acknowledged of %d", acknowledged, sums[0])
	}
}

// checkScore looks at the score: so many rings were planted at least, and all detected.
func (d *running) checkScore(least int64) {
	d.t.Helper()
	if rings := numbers(d.await("^rings planted: ")); rings[0] < least || rings[1] != rings[0] || rings[2] != 100 {
		d.t.Errorf("rings planted, detected and recall: %v, want %d rings at least and all of them", rings, least)
	}
	if alerts := numbers(d.await("^alerts: ")); alerts[0] < least || alerts[1] != 0 || alerts[2] != 100 {
		d.t.Errorf("alerts, unexplained and precision: %v, want %d alerts at least and all explained", alerts, least)
	}
	d.await("all of it adds up")
}

// alertLines are the lines of the detector.
func alertLines(lines []string) []string {
	var found []string
	for _, line := range lines {
		if _, err := oracle.ParseAlerts([]string{line}); err == nil {
			found = append(found, line)
		}
	}
	return found
}

// showsAlert waits until the dashboards show an alert, with its link to the transfers behind it.
func (d *running) showsAlert(url string) {
	d.t.Helper()
	harness.Eventually(d.t, func() (bool, string) {
		answer, err := http.Get(url)
		if err != nil {
			return false, err.Error()
		}
		defer answer.Body.Close()
		page, err := io.ReadAll(answer.Body)
		return strings.Contains(string(page), `href="/d/fintrans-transfers/transfers-behind-an-alert?var-source=`),
			fmt.Sprintf("%s shows no alert (status %d, %v)", url, answer.StatusCode, err)
	})
}

// send sends a service a signal, and reports whether it runs.
func (d *running) send(of string, signal syscall.Signal) bool {
	d.t.Helper()
	for process, service := range d.processes() {
		if service == of {
			return syscall.Kill(process, signal) == nil
		}
	}
	return false
}

// count counts the lines that match.
func (d *running) count(pattern string) int {
	matches, n := regexp.MustCompile(pattern).MatchString, 0
	for _, line := range d.output() {
		if matches(line) {
			n++
		}
	}
	return n
}
