package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// The states of a task, by the names that Mesos has for them.
const (
	Staging  = "TASK_STAGING"
	Running  = "TASK_RUNNING"
	Finished = "TASK_FINISHED"
	Failed   = "TASK_FAILED"
	Killed   = "TASK_KILLED"
)

// memoryPoll is the pause between two looks at the memory of a task.
const memoryPoll = 100 * time.Millisecond

// Spec describes a task.
type Spec struct {
	Dir     string // the sandbox, which is made
	Command string // run by /bin/sh -c
	Env     []string
	Fetch   []Fetch
	Memory  int64 // bytes that the task may hold; 0 is no limit
	Grace   time.Duration
}

// Task is a task from its start to its end. It is safe for concurrent use.
type Task struct {
	spec   Spec
	cancel context.CancelFunc
	done   chan struct{} // closed when the state is final

	mu      sync.Mutex
	state   string
	message string
	command *exec.Cmd // nil until it runs
	killed  bool
}

// Start starts a task and returns at once. The caller kills it.
func Start(spec Spec) *Task {
	ctx, cancel := context.WithCancel(context.Background())
	t := &Task{spec: spec, cancel: cancel, done: make(chan struct{}), state: Staging}
	go t.live(ctx)
	return t
}

// Done is closed when the task has ended.
func (t *Task) Done() <-chan struct{} { return t.done }

// State returns the state and, at its end, why it ended.
func (t *Task) State() (state, message string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state, t.message
}

// PID is the process that the shell has become, 0 while there is none.
func (t *Task) PID() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.command == nil || t.command.Process == nil {
		return 0
	}
	return t.command.Process.Pid
}

// Kill ends the task: SIGTERM to all of its processes, SIGKILL after the grace. It returns at once.
func (t *Task) Kill() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.killed {
		return
	}
	t.killed = true
	t.cancel() // a fetch in progress
	if t.command == nil {
		return
	}
	t.signal(syscall.SIGTERM)
	go func() {
		grace := time.NewTimer(t.spec.Grace)
		defer grace.Stop()
		select {
		case <-t.done:
		case <-grace.C:
			t.Crash()
		}
	}()
}

// Crash ends the task with SIGKILL, as a lost agent does; one that is still fetching does not start.
func (t *Task) Crash() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.command == nil {
		t.killed = true
		t.cancel()
		return
	}
	t.signal(syscall.SIGKILL)
}

// signal reaches all processes of the task: they are one group.
func (t *Task) signal(s syscall.Signal) {
	if t.command != nil && t.command.Process != nil {
		_ = syscall.Kill(-t.command.Process.Pid, s) // gone already is as good
	}
}

func (t *Task) live(ctx context.Context) {
	defer close(t.done)
	defer t.cancel()
	err := os.MkdirAll(t.spec.Dir, 0o755)
	if err == nil {
		err = touch(t.spec.Dir)
	}
	if err == nil {
		if err = fetchAll(ctx, t.spec.Dir, t.spec.Fetch); err != nil {
			err = fmt.Errorf("Failed to fetch all URIs for container: %w", err) //nolint:staticcheck // Mesos's own words
		}
	}
	if err == nil {
		err = t.launch()
	}
	if err != nil {
		t.end(Failed, err.Error())
		return
	}
	t.watch()
}

// touch makes the two files that the logs are read from.
func touch(dir string) error {
	for _, name := range []string{"stdout", "stderr"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func appendTo(dir, name string) (*os.File, error) {
	return os.OpenFile(filepath.Join(dir, name), os.O_APPEND|os.O_WRONLY, 0)
}

// launch starts the command.
func (t *Task) launch() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.killed {
		return errors.New("killed before it was launched")
	}
	command := exec.Command("/bin/sh", "-c", t.spec.Command) //nolint:noctx // ended by Kill
	command.Dir, command.Env = t.spec.Dir, t.spec.Env
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	stdout, err := appendTo(t.spec.Dir, "stdout")
	if err != nil {
		return err
	}
	defer stdout.Close()
	stderr, err := appendTo(t.spec.Dir, "stderr")
	if err != nil {
		return err
	}
	defer stderr.Close()
	command.Stdout, command.Stderr = stdout, stderr
	if err := command.Start(); err != nil {
		return err
	}
	t.command, t.state = command, Running
	return nil
}

// watch waits for the end of the command and holds it to its memory.
func (t *Task) watch() {
	exited := make(chan error, 1)
	go func() { exited <- t.command.Wait() }()
	tick := time.NewTicker(memoryPoll)
	defer tick.Stop()
	excess := ""
	for {
		select {
		case err := <-exited:
			t.finish(err, excess)
			return
		case <-tick.C:
			if used := memory(t.command.Process.Pid); t.spec.Memory > 0 && used > t.spec.Memory && excess == "" {
				excess = fmt.Sprintf("Memory limit exceeded: Requested: %dMB Maximum Used: %dMB", t.spec.Memory>>20, used>>20)
				t.Crash()
			}
		}
	}
}

func (t *Task) finish(err error, excess string) {
	t.signal(syscall.SIGKILL) // what the command has left behind
	t.mu.Lock()
	killed := t.killed
	t.mu.Unlock()
	var exit *exec.ExitError
	switch {
	case excess != "":
		t.end(Failed, excess)
	case killed:
		t.end(Killed, "Command terminated: "+t.command.ProcessState.String())
	case err == nil:
		t.end(Finished, "Command exited with status 0")
	case errors.As(err, &exit) && exit.ExitCode() >= 0:
		t.end(Failed, fmt.Sprintf("Command exited with status %d", exit.ExitCode()))
	default:
		t.end(Failed, "Command terminated with "+t.command.ProcessState.String())
	}
}

func (t *Task) end(state, message string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.killed && state == Failed && t.command == nil {
		state = Killed
	}
	t.state, t.message = state, message
}

// ExitCode is the exit status of a task that has ended, -1 where a signal ended it or it never ran.
func (t *Task) ExitCode() int {
	<-t.done
	if t.command == nil {
		return -1
	}
	return t.command.ProcessState.ExitCode()
}
