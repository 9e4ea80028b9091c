// Package child runs servers as child processes, with their output in files and on ports that stay
// theirs through restarts.
package child

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// pollEvery is the pause between two looks at a server that is starting.
const pollEvery = 50 * time.Millisecond

// Command describes a server.
type Command struct {
	Name string // as errors call it
	Path string // of the executable
	Args []string
	Log  string // file that its output is appended to
}

// Process is a running server. It is safe for concurrent use.
type Process struct {
	command Command
	cmd     *exec.Cmd
	exited  chan struct{} // closed once err is set
	err     error
}

// Start starts the server. Somebody has to Stop or Kill it; it ends with this process in any case
// where the platform can do that.
func Start(command Command) (*Process, error) {
	log, err := os.OpenFile(command.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", command.Name, err)
	}
	defer log.Close()                                  // the child has its own
	cmd := exec.Command(command.Path, command.Args...) //nolint:noctx // it outlives the call and is ended by Stop or Kill
	cmd.Stdout, cmd.Stderr = log, log
	endWithParent(cmd)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", command.Name, err)
	}
	p := &Process{command: command, cmd: cmd, exited: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.exited)
	}()
	return p, nil
}

// Pid is the number of the process.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Await calls ready until it returns nil. It fails when ctx ends or the process does, with the last
// error and the end of the log.
func (p *Process) Await(ctx context.Context, ready func(context.Context) error) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-p.exited:
			return p.failure(fmt.Errorf("%s ended instead of getting ready (%w)", p.command.Name, p.status()))
		case <-ctx.Done():
			return p.failure(fmt.Errorf("%s is not ready: %w", p.command.Name, err))
		}
	}
}

// Stop ends the process with SIGTERM. If it has not ended after grace it is killed, which is an error.
func (p *Process) Stop(grace time.Duration) error {
	if err := p.signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.exited:
		return nil
	case <-time.After(grace):
		return errors.Join(p.failure(fmt.Errorf("%s did not end within %s", p.command.Name, grace)), p.Kill())
	}
}

// Kill ends the process with SIGKILL and returns when it is gone.
func (p *Process) Kill() error {
	if err := p.signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.exited
	return nil
}

// Freeze stops the process, which keeps its files and connections, until Thaw.
func (p *Process) Freeze() error { return p.signal(syscall.SIGSTOP) }

// Thaw has a frozen process go on.
func (p *Process) Thaw() error { return p.signal(syscall.SIGCONT) }

func (p *Process) signal(s syscall.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("send %s to %s: %w", s, p.command.Name, err)
	}
	return nil
}

// status is what Wait has said; it is only called after the end.
func (p *Process) status() error {
	if p.err == nil {
		return errors.New("exit status 0")
	}
	return p.err
}

func (p *Process) failure(err error) error {
	return fmt.Errorf("%w\n%s", err, Tail(p.command.Log))
}
