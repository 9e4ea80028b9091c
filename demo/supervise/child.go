// Package supervise runs programs as child processes, starts them again when they die, with a backoff as
// Marathon does, and ends them in an orderly way.
package supervise

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Program is what is to run.
type Program struct {
	Name string
	Path string // of the executable
	// Environment is all that the process gets, as NAME=value, in its lives, which are counted from 1.
	Environment func(life int) []string
	// Stdout and Stderr are given each line of the process, without its line feed; each is called by one
	// goroutine at a time.
	Stdout, Stderr func(line string)
	// Died is told of the end of a life that nobody asked for, and after which pause the next begins.
	Died func(exit Exit, pause time.Duration)
}

// Exit is how a process ended.
type Exit struct {
	Status int    // -1 after a signal
	Text   string // e.g. "exit status 1" or "signal: killed"
	Err    error  // why there was no process at all
}

// String says it in a few words.
func (e Exit) String() string {
	if e.Err != nil {
		return e.Err.Error()
	}
	return e.Text
}

// Child is a program under supervision. It is safe for concurrent use.
type Child struct {
	program Program
	stop    chan struct{} // closed when no further life is wanted
	hurry   chan struct{} // gets something to end a pause
	done    chan struct{} // closed when the last life has ended
	last    Exit          // valid once done is closed

	mu      sync.Mutex
	process *os.Process // nil between two lives
	stopped bool
}

// Start begins the first life, or fails if that cannot be. Stop or Kill has to end it.
func Start(program Program) (*Child, error) {
	c := &Child{
		program: program,
		stop:    make(chan struct{}), hurry: make(chan struct{}, 1), done: make(chan struct{}),
	}
	life, err := c.begin(1)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", program.Name, err)
	}
	go c.run(life)
	return c, nil
}

// life is a running process.
type life struct {
	command        *exec.Cmd
	stdout, stderr *os.File // our ends
	began          time.Time
}

// run lives from the first life to the last.
func (c *Child) run(current *life) {
	defer close(c.done)
	var pace backoff
	for number := 2; ; number++ {
		exit := c.see(current)
		for {
			if c.over() {
				c.last = exit
				return
			}
			pause := pace.after(time.Since(current.began))
			c.program.Died(exit, pause)
			c.wait(pause)
			if c.over() {
				c.last = exit
				return
			}
			next, err := c.begin(number)
			if err == nil {
				current = next
				break
			}
			exit = Exit{Status: -1, Err: err}
		}
	}
}

func (c *Child) over() bool {
	select {
	case <-c.stop:
		return true
	default:
		return false
	}
}

func (c *Child) wait(pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.hurry:
	case <-c.stop:
	}
}

// begin starts a process.
func (c *Child) begin(number int) (*life, error) {
	c.mu.Lock() // so that nobody who ends the child misses the process
	defer c.mu.Unlock()
	if c.stopped {
		return nil, errors.New("it is not wanted any more")
	}
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
	command := exec.Command(c.program.Path) //nolint:noctx // it outlives the call and is ended by Stop or Kill
	command.Env = c.program.Environment(number)
	command.Stdout, command.Stderr = stdoutEnd, stderrEnd
	command.SysProcAttr = attributes()
	if err := command.Start(); err != nil {
		return nil, errors.Join(err, stdout.Close(), stderr.Close())
	}
	c.process = command.Process
	return &life{command: command, stdout: stdout, stderr: stderr, began: time.Now()}, nil
}

// see reads what the process writes and returns when it has ended.
func (c *Child) see(l *life) Exit {
	var reading sync.WaitGroup
	reading.Go(func() { forward(l.stdout, c.program.Stdout) })
	reading.Go(func() { forward(l.stderr, c.program.Stderr) })
	reading.Wait()
	err := l.command.Wait()
	c.mu.Lock()
	c.process = nil
	c.mu.Unlock()
	if state := l.command.ProcessState; state != nil {
		return Exit{Status: state.ExitCode(), Text: state.String()}
	}
	return Exit{Status: -1, Err: err}
}

// forward hands out the lines until the end of the stream.
func forward(from *os.File, to func(line string)) {
	defer from.Close()
	reader := bufio.NewReader(from)
	for {
		line, err := reader.ReadString('\n')
		switch {
		case err == nil:
			to(line[:len(line)-1])
		case errors.Is(err, io.EOF) && line == "":
			return
		default:
			to(line) // what a process was killed in the middle of
			return
		}
	}
}

// Hurry ends the pause before the next life; where there is none, that of the next death.
func (c *Child) Hurry() {
	select {
	case c.hurry <- struct{}{}:
	default: // it was told already
	}
}

// Signal sends a signal to the life that runs, and reports whether there is one. The child is not ended: what dies of
// the signal lives again.
func (c *Child) Signal(signal syscall.Signal) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.process != nil && c.process.Signal(signal) == nil
}

// Stop ends the child for good with SIGTERM, and with SIGKILL if it has not ended after the grace. It
// returns how the last life ended.
func (c *Child) Stop(grace time.Duration) Exit {
	c.end(syscall.SIGTERM)
	limit := time.NewTimer(grace)
	defer limit.Stop()
	select {
	case <-c.done:
		return c.last
	case <-limit.C:
		return c.Kill()
	}
}

// Kill ends the child for good with SIGKILL.
func (c *Child) Kill() Exit {
	c.end(syscall.SIGKILL)
	<-c.done
	return c.last
}

func (c *Child) end(signal syscall.Signal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stopped {
		c.stopped = true
		close(c.stop)
	}
	if c.process != nil {
		_ = c.process.Signal(signal) // an error says that it has ended
	}
}
