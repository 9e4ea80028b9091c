package chaos

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"fintrans/demo/supervise"
)

// drainWithin is how long a service may take to end after SIGTERM, on a slow and busy machine: it promises 10 s.
const drainWithin = 20 * time.Second

// instance is an instance of a service under supervision, through its lives. It is safe for concurrent use.
type instance struct {
	run     *run
	service string
	number  int
	earlier int // lives of instances before that had the same number
	log     *os.File
	child   *supervise.Child

	mu    sync.Mutex
	life  life
	url   string         // empty until the life listens
	asked syscall.Signal // that was sent to end this life; 0 for none
}

// String names the instance.
func (i *instance) String() string { return fmt.Sprintf("%s %d", i.service, i.number) }

// start begins the first life of an instance.
func (r *run) start(service string, number, earlier int) (*instance, error) {
	log, err := os.OpenFile(filepath.Join(r.Logs, fmt.Sprintf("%s-%d.log", service, number)), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	i := &instance{run: r, service: service, number: number, earlier: earlier, log: log}
	i.child, err = supervise.Start(supervise.Program{
		Name: i.String(), Path: filepath.Join(r.Binaries, service),
		Environment: i.begin, Stdout: i.wrote, Stderr: i.logged, Died: i.died,
	})
	return i, err
}

// begin begins a life: it returns the environment.
func (i *instance) begin(number int) []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.life = life{i.service, i.number, i.earlier + number}
	i.url, i.asked = "", 0
	return i.run.environment(i.life)
}

// wrote takes a line of stdout.
func (i *instance) wrote(line string) {
	if i.service == Detector {
		i.run.alert(line)
		return
	}
	i.run.complain("%v wrote to stdout: %q", i, line)
}

// logged takes a line of the log.
func (i *instance) logged(text string) {
	_, _ = fmt.Fprintln(i.log, text) // a log that cannot be kept keeps nobody from running
	var line struct {
		Msg, Listen string
		Sent        float64
	}
	if json.Unmarshal([]byte(text), &line) != nil {
		if strings.HasPrefix(text, "panic: ") || strings.HasPrefix(text, "fatal error: ") {
			i.run.complain("%v: %s", i, text)
		}
		return
	}
	switch {
	case line.Msg == "listening":
		i.mu.Lock()
		i.url = "http://" + line.Listen
		i.mu.Unlock()
	case line.Msg == "done sending" && i.service == Generator:
		i.run.progress.saw(time.Now(), i.current(), line.Sent)
	}
}

// died is told of the end of a life.
func (i *instance) died(exit supervise.Exit, _ time.Duration) {
	i.mu.Lock()
	asked, listened := i.asked, i.url != ""
	i.url = ""
	i.mu.Unlock()
	i.judge(exit, asked, listened)
}

// judge complains of an end that should not have been.
func (i *instance) judge(exit supervise.Exit, asked syscall.Signal, listened bool) {
	switch {
	case asked == 0:
		i.run.complain("%v ended by itself (%v)", i, exit)
	case asked == syscall.SIGKILL:
	case exit.Status == 0:
	case exit.Status == 1 && !i.run.orderly: // it says what will be read again
		i.run.say("%v has not drained all", i)
	case exit.Status == -1 && !listened: // it was not ready to be told
	case i.run.orderly:
		i.run.complain("%v ended with %v after SIGTERM, and nothing else befell it; want exit status 0", i, exit)
	default:
		i.run.complain("%v ended with %v after SIGTERM, want exit status 0 or 1", i, exit)
	}
}

func (i *instance) current() life {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.life
}

// address is where the current life listens; empty while it does not.
func (i *instance) address() (life, string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.life, i.url
}

// end sends a signal that ends the current life, and returns the first life that is to come. There may be no life at
// the moment: then the next is that to come.
func (i *instance) end(signal syscall.Signal) life {
	i.mu.Lock()
	i.asked = signal
	next := i.life
	i.mu.Unlock()
	i.child.Signal(signal)
	next.number++
	return next
}

// terminate is end with SIGTERM. It returns when the life has ended, and complains and kills when that takes too long.
func (i *instance) terminate() life {
	next := i.end(syscall.SIGTERM)
	if !i.run.await(i.run.Hard, drainWithin, func() bool { _, url := i.address(); return url == "" }) && i.run.Hard.Err() == nil {
		i.run.complain("%v has not ended within %v after SIGTERM", i, drainWithin)
		i.end(syscall.SIGKILL)
	}
	return next
}

// stop ends the instance for good, and returns its exit status.
func (i *instance) stop() int {
	i.mu.Lock()
	i.asked = syscall.SIGTERM
	listened := i.url != ""
	i.mu.Unlock()
	exit := i.child.Stop(drainWithin)
	_ = i.log.Close()
	if exit.Text == "signal: killed" {
		i.run.complain("%v has not ended within %v after SIGTERM", i, drainWithin)
		return exit.Status
	}
	i.judge(exit, syscall.SIGTERM, listened)
	return exit.Status
}
