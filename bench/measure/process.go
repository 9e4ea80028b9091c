// Package measure runs programs and tells how much they got done, in which time, with how much processor time and
// memory.
package measure

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Program is what is to run.
type Program struct {
	Name string // as errors and tables call it
	Path string // of the executable
	Args []string
	Env  []string          // NAME=value, beside PATH, HOME and TMPDIR
	Line func(line string) // gets each line of stdout, from one goroutine; may be nil
}

// Process is a running Program. It is safe for concurrent use.
type Process struct {
	program Program
	command *exec.Cmd
	exited  chan struct{}
	ended   time.Time // valid once exited is closed

	mu     sync.Mutex
	log    []string // the last lines of stderr
	listen string   // address that it has logged
	peak   int64    // bytes, of the last look
}

const (
	logLines  = 60
	lookEvery = 20 * time.Millisecond
)

// Start starts a program, in a process group of its own: a Ctrl-C reaches the bench alone, which ends it. Somebody
// has to Stop or Kill it.
func Start(program Program) (*Process, error) {
	command := exec.Command(program.Path, program.Args...) //nolint:noctx // it is ended by Stop or Kill
	command.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + os.TempDir()}, program.Env...)
	command.SysProcAttr = attributes()
	stdout, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	stderr, err := command.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", program.Name, err)
	}
	p := &Process{program: program, command: command, exited: make(chan struct{})}
	var reading sync.WaitGroup
	reading.Go(func() { eachLine(stdout, p.out) })
	reading.Go(func() { eachLine(stderr, p.logged) })
	go func() {
		reading.Wait()
		_ = command.Wait() // ProcessState says it all
		p.ended = time.Now()
		p.notePeak(peakAtEnd(command.ProcessState))
		close(p.exited)
	}()
	go p.watch()
	return p, nil
}

func eachLine(from io.Reader, to func(string)) {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		to(lines.Text())
	}
	_, _ = io.Copy(io.Discard, from) // of a line that is too long, so that the process can go on
}

func (p *Process) out(line string) {
	if p.program.Line != nil {
		p.program.Line(line)
	}
}

func (p *Process) logged(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.log = append(p.log[max(0, len(p.log)-logLines):], line)
	if _, rest, found := strings.Cut(line, "msg=listening "); found && p.listen == "" {
		_, address, _ := strings.Cut(rest, "listen=")
		p.listen, _, _ = strings.Cut(strings.Trim(address, `"`), `"`)
		p.listen, _, _ = strings.Cut(p.listen, " ")
	}
}

// watch notes the peak of the memory for as long as the kernel tells it: until the end of the process.
func (p *Process) watch() {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_, _ = p.Peak()
		case <-p.exited:
			return
		}
	}
}

// Pid returns the number of the process.
func (p *Process) Pid() int { return p.command.Process.Pid }

// Name returns the program's name.
func (p *Process) Name() string { return p.program.Name }

// Exited is closed when the process has ended and its output has been read.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// EndedAt waits for the end of the process and returns when that was.
func (p *Process) EndedAt() time.Time {
	<-p.exited
	return p.ended
}

// Peak returns the peak of the resident memory in bytes, also after the end.
func (p *Process) Peak() (int64, error) {
	seen, err := statusBytes(p.Pid(), "VmHWM")
	if peak := p.notePeak(seen); peak > 0 {
		return peak, nil
	}
	return 0, err
}

// notePeak returns the largest of all that was seen.
func (p *Process) notePeak(seen int64) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.peak = max(p.peak, seen)
	return p.peak
}

// Resident returns the resident memory in bytes as it is now.
func (p *Process) Resident() (int64, error) { return statusBytes(p.Pid(), "VmRSS") }

// CPU returns the processor time that the process has used so far, or did until its end.
func (p *Process) CPU() (time.Duration, error) {
	select {
	case <-p.exited:
		return p.command.ProcessState.UserTime() + p.command.ProcessState.SystemTime(), nil
	default:
	}
	used, err := cpuTime(p.Pid())
	if err == nil {
		return used, nil
	}
	select { // it may have ended in between
	case <-p.exited:
		return p.command.ProcessState.UserTime() + p.command.ProcessState.SystemTime(), nil
	case <-time.After(time.Second):
		return 0, err
	}
}

// URL waits until the process logs where it listens, and returns http://host:port.
func (p *Process) URL(ctx context.Context) (string, error) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		p.mu.Lock()
		listen := p.listen
		p.mu.Unlock()
		if listen != "" {
			return "http://" + listen, nil
		}
		select {
		case <-tick.C:
		case <-p.exited:
			return "", p.Failure(errors.New("it ended before it listened"))
		case <-ctx.Done():
			return "", p.Failure(fmt.Errorf("it does not listen: %w", context.Cause(ctx)))
		}
	}
}

// Wait waits for the end of the process. Any end but that with status 0 is an error.
func (p *Process) Wait(ctx context.Context) error {
	select {
	case <-p.exited:
	case <-ctx.Done():
		return p.Failure(fmt.Errorf("it has not ended: %w", context.Cause(ctx)))
	}
	if !p.command.ProcessState.Success() {
		return p.Failure(fmt.Errorf("it ended with %s", p.command.ProcessState))
	}
	return nil
}

// Stop ends the process with SIGTERM, and with SIGKILL where that takes longer than the grace.
func (p *Process) Stop(grace time.Duration) {
	_ = p.command.Process.Signal(syscall.SIGTERM) // an error says that it has ended
	select {
	case <-p.exited:
	case <-time.After(grace):
		p.Kill()
	}
}

// Kill ends the process with SIGKILL.
func (p *Process) Kill() {
	_ = p.command.Process.Kill() // an error says that it has ended
	<-p.exited
}

// Failure is an error of the process, with the end of its log.
func (p *Process) Failure(err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Errorf("%s: %w\n--- the end of its log\n%s\n---", p.program.Name, err, strings.Join(p.log, "\n"))
}
