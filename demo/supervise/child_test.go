package supervise_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"fintrans/demo/harness"
	"fintrans/demo/supervise"
)

// TestMain is also the program that is supervised, when the variable ROLE says so.
func TestMain(m *testing.M) {
	switch os.Getenv("ROLE") {
	case "":
		os.Exit(m.Run())
	case "child":
		os.Exit(child())
	case "supervisor":
		os.Exit(supervisor())
	}
}

// child says who it is, and ends as it is told to.
func child() int {
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	_, _ = fmt.Fprintln(os.Stdout, "process", os.Getpid(), "group", syscall.Getpgrp(), "life", os.Getenv("LIFE"))
	_, _ = fmt.Fprintln(os.Stderr, "log")
	if os.Getenv("STUBBORN") != "" {
		signal.Ignore(syscall.SIGTERM)
		select {}
	}
	<-term
	_, _ = fmt.Fprint(os.Stdout, "drained")
	return 3
}

// supervisor supervises a child until it is killed itself.
func supervisor() int {
	program := program(func(line string) { _, _ = fmt.Fprintln(os.Stdout, line) })
	if _, err := supervise.Start(program); err != nil {
		_, _ = fmt.Fprintln(os.Stdout, err)
		return 1
	}
	select {}
}

// program is this test as a child.
func program(stdout func(string)) supervise.Program {
	return supervise.Program{
		Name: "child", Path: os.Args[0],
		Environment: func(life int) []string { return []string{"ROLE=child", fmt.Sprint("LIFE=", life)} },
		Stdout:      stdout, Stderr: func(string) {},
		Died: func(supervise.Exit, time.Duration) {},
	}
}

// lines collects lines.
type lines struct {
	mu   sync.Mutex
	seen []string
}

func (l *lines) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen = append(l.seen, line)
}

func (l *lines) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.seen)
}

// await waits for so many lines.
func (l *lines) await(t *testing.T, n int) []string {
	t.Helper()
	harness.Eventually(t, func() (bool, string) {
		return len(l.all()) >= n, fmt.Sprintf("lines %q, want %d", l.all(), n)
	})
	return l.all()
}

// numbers finds process, process group and life in a line of the child.
func numbers(t *testing.T, line string) (process, group, life int) {
	t.Helper()
	if _, err := fmt.Sscanf(line, "process %d group %d life %d", &process, &group, &life); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return process, group, life
}

func start(t *testing.T, p supervise.Program) *supervise.Child {
	t.Helper()
	c, err := supervise.Start(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Kill() })
	return c
}

func TestChildThatDiesIsStartedAgain(t *testing.T) {
	t.Parallel()
	var out, log, died lines
	p := program(out.add)
	p.Stderr = log.add
	p.Died = func(exit supervise.Exit, pause time.Duration) { died.add(fmt.Sprint(exit, " ", pause)) }
	c := start(t, p)
	first, group, life := numbers(t, out.await(t, 1)[0])
	if group != first || group == syscall.Getpgrp() || life != 1 {
		t.Errorf("process %d of group %d in life %d, want a group of its own in life 1", first, group, life)
	}
	log.await(t, 1) // which it writes last
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	died.await(t, 1)
	c.Hurry()
	second, _, life := numbers(t, out.await(t, 2)[1])
	if life != 2 || second == first {
		t.Errorf("process %d in life %d, want another than %d in life 2", second, life, first)
	}
	if exit := c.Stop(harness.Patience); exit.Status != 3 || exit.String() != "exit status 3" {
		t.Errorf("ended with %v, want exit status 3", exit)
	}
	if got, want := died.all(), []string{"signal: killed 1s"}; !slices.Equal(got, want) {
		t.Errorf("deaths %q, want %q", got, want)
	}
	if got := out.all(); got[len(got)-1] != "drained" {
		t.Errorf("stdout %q, want its end in it", got)
	}
	if got, want := log.all(), []string{"log", "log"}; !slices.Equal(got, want) {
		t.Errorf("stderr %q, want %q", got, want)
	}
}

func TestSignalLeavesTheChild(t *testing.T) {
	t.Parallel()
	var out lines
	c := start(t, program(out.add))
	out.await(t, 1)
	if !c.Signal(syscall.SIGKILL) {
		t.Error("no life was found to be killed")
	}
	c.Hurry()
	if _, _, life := numbers(t, out.await(t, 2)[1]); life != 2 {
		t.Errorf("life %d after the signal, want 2", life)
	}
	c.Kill()
	if c.Signal(syscall.SIGTERM) {
		t.Error("a life was found although the child was ended")
	}
}

func TestStubbornChildIsKilled(t *testing.T) {
	t.Parallel()
	var out lines
	p := program(out.add)
	p.Environment = func(int) []string { return []string{"ROLE=child", "LIFE=1", "STUBBORN=1"} }
	c := start(t, p)
	process, _, _ := numbers(t, out.await(t, 1)[0])
	if exit := c.Stop(time.Millisecond); exit.Status != -1 {
		t.Errorf("ended with %v, want a signal", exit)
	}
	if err := syscall.Kill(process, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d: %v, want it gone", process, err)
	}
}

func TestStopEndsAPause(t *testing.T) {
	t.Parallel()
	var out, died lines
	p := program(out.add)
	p.Died = func(supervise.Exit, time.Duration) { died.add("") }
	c := start(t, p)
	process, _, _ := numbers(t, out.await(t, 1)[0])
	if err := syscall.Kill(process, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	died.await(t, 1)
	if exit := c.Stop(harness.Patience); exit.Status != -1 || len(out.all()) != 1 {
		t.Errorf("ended with %v after %q, want the end of its only life", exit, out.all())
	}
	c.Stop(harness.Patience) // and again
}

func TestProgramThatIsNotThere(t *testing.T) {
	t.Parallel()
	p := program(nil)
	p.Path = filepath.Join(t.TempDir(), "none")
	if _, err := supervise.Start(p); !errors.Is(err, os.ErrNotExist) || !strings.HasPrefix(err.Error(), "start child: ") {
		t.Errorf("got %v, want that it does not exist", err)
	}
}

// TestProgramThatGoesAway is there for its first life alone.
func TestProgramThatGoesAway(t *testing.T) {
	t.Parallel()
	own, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "child")
	if err := os.WriteFile(path, own, 0o700); err != nil {
		t.Fatal(err)
	}
	var out, died lines
	p := program(out.add)
	p.Path = path
	p.Died = func(exit supervise.Exit, _ time.Duration) { died.add(exit.String()) }
	c := start(t, p)
	c.Hurry()
	process, _, _ := numbers(t, out.await(t, 1)[0])
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(process, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if got := died.await(t, 2); !strings.Contains(got[1], "no such file") {
		t.Errorf("deaths %q, want the second to say that there is no such file", got)
	}
}

func TestChildDiesWithItsSupervisor(t *testing.T) {
	t.Parallel()
	command := exec.Command(os.Args[0])
	command.Env = []string{"ROLE=supervisor"}
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	process, _, _ := numbers(t, line)
	if err := command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait() // it says that it was killed
	harness.Eventually(t, func() (bool, string) {
		return !alive(process), "process " + strconv.Itoa(process) + " outlives its supervisor"
	})
}

// alive says whether a process runs; one that has ended and was not waited for does not.
func alive(process int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", process))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}
