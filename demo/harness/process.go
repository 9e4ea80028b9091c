package harness

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Env are the settings of a service, by the names of their variables.
type Env map[string]string

// Options are the rarer wishes for a process. The zero value has none.
type Options struct {
	// Binaries is the directory of the binary; empty is that of this checkout.
	Binaries string
	// Args are the command line's arguments.
	Args []string
	// HoldStdout leaves stdout unread: a small pipe that is soon full, until ReleaseStdout.
	HoldStdout bool
}

// Process is a service that runs as a process, through any number of restarts. Stdout and log
// are collected over all of them. It is safe for concurrent use.
type Process struct {
	t       testing.TB
	service string
	env     Env
	options Options
	stdout  *lines
	log     *lines

	mu  sync.Mutex
	run *incarnation
}

// incarnation is one life of a process, from its start to its end.
type incarnation struct {
	command *exec.Cmd
	since   int           // number of log lines of the lives before
	stdout  *os.File      // our end of its stdout
	reading bool          // whether stdout is being read
	read    chan struct{} // closed when stdout has ended
	exited  chan struct{} // closed when the process has ended and its log is complete
	status  int           // valid once exited is closed; -1 after a signal
	peak    int64         // peak resident memory in bytes, valid once exited is closed
}

// Start starts a service with nothing but the given settings. It is killed at the end of the test at
// the latest; if the test has failed then, the end of its log is shown.
func Start(t testing.TB, service string, env Env, options Options) *Process {
	t.Helper()
	if options.Binaries == "" {
		options.Binaries = Binaries(t, service)
	}
	p := &Process{
		t: t, service: service, env: maps.Clone(env), options: options,
		stdout: newLines(), log: newLines(),
	}
	t.Cleanup(p.finish)
	p.Restart()
	return p
}

// Restart starts the process again, which must have ended, with the same settings.
func (p *Process) Restart() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.run != nil && !p.run.ended() {
		p.t.Fatalf("%s: restarted while it runs", p.service)
	}
	run, err := p.launch()
	if err != nil {
		p.t.Fatalf("start %s: %v", p.service, err)
	}
	p.run = run
}

func (p *Process) launch() (*incarnation, error) {
	command := exec.Command(filepath.Join(p.options.Binaries, p.service), p.options.Args...)
	command.Env = p.environment()
	command.SysProcAttr = diesWithTheTest()
	stdout, stdoutEnd, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer stdoutEnd.Close()
	stderr, stderrEnd, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, stdout.Close())
	}
	defer stderrEnd.Close()
	if p.options.HoldStdout {
		if err := shrinkPipe(stdoutEnd); err != nil {
			return nil, errors.Join(err, stdout.Close(), stderr.Close())
		}
	}
	command.Stdout, command.Stderr = stdoutEnd, stderrEnd
	run := &incarnation{
		command: command, since: p.log.count(), stdout: stdout,
		read: make(chan struct{}), exited: make(chan struct{}),
	}
	if err := command.Start(); err != nil {
		return nil, errors.Join(err, stdout.Close(), stderr.Close())
	}
	if !p.options.HoldStdout {
		run.startReading(p.stdout)
	}
	go run.wait(p.log, stderr)
	return run, nil
}

// environment is what the process gets: nothing of the caller's but where programs and files are.
func (p *Process) environment() []string {
	environment := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + os.TempDir()}
	for _, name := range slices.Sorted(maps.Keys(p.env)) {
		environment = append(environment, name+"="+p.env[name])
	}
	return environment
}

func (r *incarnation) startReading(to *lines) {
	r.reading = true
	go func() {
		defer close(r.read)
		to.readFrom(r.stdout)
		_ = r.stdout.Close()
	}()
}

// wait notes how the process ends.
func (r *incarnation) wait(log *lines, stderr io.ReadCloser) {
	defer close(r.exited)
	log.readFrom(stderr) // until its end has been closed by the end of the process
	_ = stderr.Close()
	_ = r.command.Wait() // the state says it all
	r.status = r.command.ProcessState.ExitCode()
	if usage, ok := r.command.ProcessState.SysUsage().(*syscall.Rusage); ok {
		r.peak = usage.Maxrss * rssUnit
	}
}

func (r *incarnation) ended() bool {
	select {
	case <-r.exited:
		return true
	default:
		return false
	}
}

func (p *Process) current() *incarnation {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.run
}

// Signal sends a signal, such as SIGSTOP and SIGCONT, which leave the process there.
func (p *Process) Signal(signal syscall.Signal) {
	p.t.Helper()
	run := p.current()
	if err := run.command.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Errorf("%s: send %v: %v", p.service, signal, err)
	}
}

// Kill ends the process with SIGKILL, which it cannot notice, and waits until it is gone.
func (p *Process) Kill() {
	p.t.Helper()
	p.Signal(syscall.SIGKILL)
	p.Wait()
}

// Term ends the process with SIGTERM and returns its exit status. It waits until the process listens:
// before, it is not ready to be told.
func (p *Process) Term() int {
	p.t.Helper()
	p.URL()
	p.Signal(syscall.SIGTERM)
	return p.Wait()
}

// Wait waits for the end of the process and returns its exit status, -1 if a signal ended it.
// What it had written to stdout has been read then, unless stdout is held.
func (p *Process) Wait() int {
	p.t.Helper()
	run := p.current()
	limit := time.NewTimer(Patience)
	defer limit.Stop()
	waitFor := func(done <-chan struct{}, what string) {
		select {
		case <-done:
		case <-limit.C:
			p.t.Fatalf("%s: %s has not ended within %v", p.service, what, Patience)
		}
	}
	waitFor(run.exited, "the process")
	p.mu.Lock()
	reading := run.reading
	p.mu.Unlock()
	if reading {
		waitFor(run.read, "stdout")
	}
	return run.status
}

// Running reports whether the process has not ended.
func (p *Process) Running() bool { return !p.current().ended() }

// AwaitStdoutFull waits until the stdout that is held has no room for another line of this many bytes.
func (p *Process) AwaitStdoutFull(line int) {
	p.t.Helper()
	run := p.current()
	Eventually(p.t, func() (bool, string) {
		held, err := unread(run.stdout)
		return err == nil && held+line > pipeSize, fmt.Sprintf("stdout holds %d bytes of %d: %v", held, pipeSize, err)
	})
}

// ReleaseStdout reads stdout from now on, also what a process wrote that has ended since. It
// applies to the processes that are started from now on as well.
func (p *Process) ReleaseStdout() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.options.HoldStdout = false
	if !p.run.reading {
		p.run.startReading(p.stdout)
	}
}

// PeakMemory returns the peak of the resident memory in bytes of a process that has ended.
func (p *Process) PeakMemory() int64 {
	run := p.current()
	<-run.exited
	return run.peak
}

// Stdout returns the complete lines of stdout so far.
func (p *Process) Stdout() []string { return p.stdout.all() }

// Log returns the lines of the log so far.
func (p *Process) Log() []string { return p.log.all() }

// finish ends the process at the end of the test, and fails the test for what no process may do.
func (p *Process) finish() {
	run := p.current()
	if run == nil {
		return
	}
	_ = run.command.Process.Kill()
	<-run.exited
	p.ReleaseStdout()
	<-run.read
	log := p.Log()
	for _, line := range log {
		if strings.Contains(line, "DATA RACE") || strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") {
			p.t.Errorf("%s: %s", p.service, line)
		}
	}
	if rest := p.stdout.rest(); rest != "" {
		p.t.Errorf("%s: stdout ends within a line: %q", p.service, rest)
	}
	if p.t.Failed() {
		p.t.Logf("the end of the log of %s:\n%s", p, strings.Join(log[max(0, len(log)-60):], "\n"))
	}
}

// String names the process for messages.
func (p *Process) String() string {
	return fmt.Sprintf("%s (process %d)", p.service, p.current().command.Process.Pid)
}

// unread returns how many bytes are in the pipe.
func unread(end *os.File) (int, error) {
	conn, err := end.SyscallConn()
	if err != nil {
		return 0, err
	}
	bytes, failed := 0, error(nil)
	if err := conn.Control(func(fd uintptr) { bytes, failed = unix.IoctlGetInt(int(fd), bytesInPipe) }); err != nil {
		return 0, err
	}
	return bytes, failed
}
