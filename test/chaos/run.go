package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"fintrans/demo/interrupt"
	"fintrans/demo/oracle"
	"fintrans/test/realkafka"
)

// Config says what to run.
type Config struct {
	Shape
	Seed       uint64
	Faults     []Fault // instead of those that the seed schedules, where there are any
	Rate       float64 // transactions per second
	Generation realkafka.Generation
	Binaries   string    // folder with the services
	Logs       string    // folder for their logs
	Command    string    // that runs the same again, for the report
	Out        io.Writer // is told of each fault as it comes
}

// theRule is what the detectors are told. The window is short, so that a pair is over it more than once.
var theRule = oracle.Rule{Threshold: 10_000, Window: (2 * time.Minute).Milliseconds()}

const (
	// ringSpread is the time over which a planted ring's transfers are spread.
	ringSpread = 20 * time.Second
	// flowWithin is how long everything may take until money flows through all of it: at the start, when the
	// generator waits for further brokers and makes the topics, and when all has been healed.
	flowWithin = 3 * time.Minute
)

// run is one run.
type run struct {
	Config
	interrupt.Interruption
	servers  *servers
	fleet    *fleet
	progress *progress
	orderly  bool   // nothing befalls the services but SIGTERM, and nothing servers and network
	stop     func() // ends Soft

	mu         sync.Mutex
	began      time.Time
	lines      []string // of the stdout of all detectors
	complaints []string
	injected   map[string]int // faults by row
	grown      bool
}

// Run runs services on servers through faults, heals everything and judges, earlier where it is interrupted. The error is why there is no report.
func Run(ctx interrupt.Interruption, cfg Config) (report Report, err error) {
	r := &run{Config: cfg, Interruption: ctx, fleet: newFleet(), began: time.Now(), injected: map[string]int{}}
	r.progress = newProgress(r.began)
	faults := r.Faults
	if len(faults) == 0 {
		faults = Schedule(r.Seed, r.Shape)
	}
	r.orderly = orderly(faults)
	r.Soft, r.stop = context.WithCancel(ctx.Soft)
	defer r.stop()
	r.say("starting %d brokers of %v, and InfluxDB", r.Brokers, r.Generation)
	r.servers, err = startServers(ctx.Soft, r.Generation, r.Brokers)
	defer func() {
		if err != nil && ctx.Soft.Err() == nil {
			r.say("%s", r.servers.logs())
		}
		err = errors.Join(err, r.servers.close())
	}()
	if err != nil {
		return report, err
	}
	defer r.fleet.killAll()
	watching, stop := context.WithCancel(ctx.Hard)
	var watched sync.WaitGroup
	defer watched.Wait()
	defer stop()
	watched.Go(func() { r.watch(watching) })
	if err := r.startServices(); err != nil {
		return report, err
	}
	r.begin()
	if err := r.perform(faults); err != nil {
		return report, err
	}
	report = Report{Seed: r.Seed, Command: r.Command, Ran: time.Since(r.began), Faults: r.injected}
	evidence, err := r.finish(&report)
	if err != nil {
		return report, err
	}
	report.Verdict = Judge(evidence)
	return report, nil
}

// begin starts the clock of the faults.
func (r *run) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.began = time.Now()
	r.progress.restart(r.began)
}

// startServices starts them and waits until money flows through all.
func (r *run) startServices() error {
	for _, service := range services() {
		count := r.Instances
		if service == Generator {
			count = 1
		}
		if _, _, err := r.scale(service, count); err != nil {
			return err
		}
	}
	r.say("%d instances of each consumer; waiting until money flows", r.Instances)
	since := time.Now()
	if !r.await(r.Soft, flowWithin, func() bool { return r.flows(since) }) {
		if r.Soft.Err() != nil {
			return errStopped
		}
		return fmt.Errorf("no money has flowed through all services within %v; see their logs in %s", flowWithin, r.Logs)
	}
	return nil
}

// errStopped: it was called off before there was anything to judge.
var errStopped = errors.New("stopped before the first fault")

// flows says whether all services have made progress since.
func (r *run) flows(since time.Time) bool {
	for _, service := range services() {
		if !r.progress.last(service).After(since) {
			return false
		}
	}
	return true
}

// perform injects the faults of the schedule, each when its time has come, and returns when the time is over and all
// is healed. A fault waits for those of its lane that take longer than was planned; what the seed has scheduled and does
// not begin in time is left out.
func (r *run) perform(faults []Fault) error {
	r.say("money flows; %d faults in %v, seed %d", len(faults), r.Length, r.Seed)
	failed := make([]error, len(lanes()))
	var all sync.WaitGroup
	for n, l := range lanes() {
		all.Go(func() {
			var free time.Time
			for _, f := range faults {
				if !l.has(f.Kind) {
					continue
				}
				r.pause(time.Until(latest(r.began.Add(f.At), free)))
				late := len(r.Faults) == 0 && time.Since(r.began) > r.Length
				if r.Soft.Err() != nil || late {
					return
				}
				r.count(f)
				if failed[n] = r.inject(f); failed[n] != nil {
					r.stop() // without its servers there is nothing more to see
				}
				free = time.Now().Add(r.paced(breath))
			}
		})
	}
	all.Wait()
	if err := errors.Join(failed...); err != nil {
		return err
	}
	r.pause(time.Until(r.began.Add(r.Length)))
	return r.Hard.Err()
}

// breath is what lies between two faults of a lane at least, with the usual pause, also when the first takes longer than was planned.
const breath = 3 * time.Second

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (r *run) count(f Fault) {
	r.say("%v", f)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.injected[f.Row()]++
}

// say tells of what happens.
func (r *run) say(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, _ = fmt.Fprintf(r.Out, "[%6.1f s] %s\n", time.Since(r.began).Seconds(), fmt.Sprintf(format, args...)) // the report's error is looked at
}

// complain notes what should not be.
func (r *run) complain(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	r.say("%s", text)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.complaints = append(r.complaints, text)
}

// alert takes a line of a detector's stdout.
func (r *run) alert(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, line)
}

// pause waits, or less where the run is to end.
func (r *run) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Soft.Done():
	}
}

// await waits for a state, and reports whether it came.
func (r *run) await(ctx context.Context, limit time.Duration, state func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	came := state()
	r.every(ctx, lookEvery, func() {
		if came = came || state(); came {
			cancel()
		}
	})
	return came
}

// every does something at each beat, until ctx ends.
func (r *run) every(ctx context.Context, beat time.Duration, do func()) {
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-tick.C:
			do()
		}
	}
}
