package cases

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"fintrans/bench/measure"
	"fintrans/bench/report"
	"fintrans/bench/scene"
	"fintrans/bench/stats"
	"fintrans/internal/transaction"
)

const (
	// observed is how long latencies are observed, after the consumer has caught up and a warm-up.
	observed = 10 * time.Second
	warmUp   = 3 * time.Second
	// aProbeEach is how many transactions there are for one that sets off an alert.
	aProbeEach = 40
	// firstProbe is the account that the first probe's money comes from; each has one of its own.
	firstProbe = 1 << 20
	// probeAmount is over the threshold at once.
	probeAmount = 10_001
)

// waits are the latencies of one run.
type waits struct{ sent, acked []time.Duration }

// latencyCase measures from a transaction to its alert's line.
func latencyCase(ctx context.Context, s *scene.Scene) (Outcome, error) {
	out := Outcome{Section: report.Section{
		Title: "From a transaction to its alert",
		Text: fmt.Sprintf("One transaction in %d sets off an alert. Milliseconds until its line is on stdout, settings as shipped, against the bare\n"+
			"consumer, which fetches alike and prints that transaction's value.", aProbeEach),
	}}
	k, err := s.Kafka(ctx)
	if err != nil {
		return out, err
	}
	defer k.Close()
	for _, rate := range []int{2_000, 10_000} {
		l := &alertLatency{scene: s, kafka: k, rate: rate}
		runs, err := l.rounds(ctx)
		if err != nil {
			return out, err
		}
		out.Section.Tables = append(out.Section.Tables, latencyTable(fmt.Sprintf("at %d/s", rate), runs))
		if rate == 2_000 {
			out.Targets = latencyTargets(runs)
		}
	}
	return out, nil
}

// runs are the rounds' latencies, of ours and of the peer.
type runs struct {
	names [2]string
	waits [2][]waits
}

func latencyTable(title string, r runs) report.Table {
	table := report.Table{Header: []string{title, "from the send: median", "p99", "max", "from the acknowledgement: median", "p99", "max"}}
	for i, name := range r.names {
		row := []string{name}
		for _, of := range []func(waits) []time.Duration{
			func(w waits) []time.Duration { return w.sent }, func(w waits) []time.Duration { return w.acked },
		} {
			for _, p := range []float64{50, 99, 100} {
				row = append(row, report.Range(percentiles(r.waits[i], of, p), milliseconds))
			}
		}
		table.Add(row...)
	}
	return table
}

// percentiles are those of each round, in ms.
func percentiles(rounds []waits, of func(waits) []time.Duration, p float64) []float64 {
	var list []float64
	for _, w := range rounds {
		list = append(list, float64(stats.Percentile(of(w), p))/float64(time.Millisecond))
	}
	return list
}

func milliseconds(ms float64) string {
	return report.Millis(time.Duration(ms * float64(time.Millisecond)))
}

func fromSend(w waits) []time.Duration { return w.sent }

func latencyTargets(r runs) []report.Target {
	ours, bare := percentiles(r.waits[0], fromSend, 99), percentiles(r.waits[1], fromSend, 99)
	return []report.Target{
		atMost("alert latency from the send, p99 at 2,000/s", "bare consumer", 1.3, stats.Of(stats.Ratios(ours, bare)).Median, report.Ratio),
		atMost("alert latency from the send, p99 at 2,000/s, ms", "-", 40, stats.Of(ours).Median, report.Ratio),
	}
}

// alertLatency measures at one rate.
type alertLatency struct {
	scene *scene.Scene
	kafka *scene.Kafka
	rate  int

	mu     sync.Mutex
	sent   map[int64]time.Time // probes by number
	acked  map[int64]time.Time
	lines  map[int64]time.Time
	probes int64 // of all runs
}

func (l *alertLatency) rounds(ctx context.Context) (runs, error) {
	r := runs{names: [2]string{"laundering-detector", "bare consumer"}}
	start := [2]func(line func(string), group string) (*measure.Process, error){
		func(line func(string), group string) (*measure.Process, error) {
			return l.scene.Start(scene.Detector, line, "BROKER="+l.kafka.Broker(), "KAFKA_GROUP="+group)
		},
		func(line func(string), group string) (*measure.Process, error) {
			return l.scene.Start(scene.Bare, line, "BROKER="+l.kafka.Broker(), "KAFKA_GROUP="+group, fmt.Sprintf("ALERT= %d", probeAmount))
		},
	}
	metric := [2]string{"laundering_detector_records_total", "bare_records_total"}
	for round := range l.scene.Rounds {
		for i := range start {
			if round%2 == 1 {
				i = 1 - i
			}
			w, err := l.run(ctx, start[i], metric[i])
			if err != nil {
				return r, fmt.Errorf("round %d: %w", round+1, err)
			}
			l.scene.Say("  round %d at %d/s: %-20s median %s ms, p99 %s ms of %d", round+1, l.rate, r.names[i],
				report.Millis(stats.Percentile(w.sent, 50)), report.Millis(stats.Percentile(w.sent, 99)), len(w.sent))
			r.waits[i] = append(r.waits[i], w)
		}
	}
	return r, nil
}

func (l *alertLatency) run(ctx context.Context, start func(func(string), string) (*measure.Process, error), metric string) (waits, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errors.New("the alerts did not come"))
	defer cancel()
	l.sent, l.acked, l.lines = map[int64]time.Time{}, map[int64]time.Time{}, map[int64]time.Time{}
	p, err := start(l.line, l.scene.Name("bench"))
	if err != nil {
		return waits{}, err
	}
	defer p.Stop(grace)
	load, err := connectLoad(l.kafka, l.rate, func(n int64) (transaction.Transaction, func()) { return small(n), nil })
	if err != nil {
		return waits{}, err
	}
	defer load.topics.Close()
	if err := catchUp(ctx, p, metric, load); err != nil {
		return waits{}, err
	}
	load.next = l.next
	if err := load.run(ctx, observed); err != nil {
		return waits{}, err
	}
	return collect(ctx, p, "alerts", l.so)
}

// catchUp keeps the load up until the consumer has dealt with more records than the topics had at some time, and
// for the warm-up after that.
func catchUp(ctx context.Context, p *measure.Process, metric string, load *load) error {
	url, err := p.URL(ctx)
	if err != nil {
		return err
	}
	before, err := load.topics.Total(ctx)
	if err != nil {
		return err
	}
	for done := int64(-1); done < before; {
		if err := load.run(ctx, 200*time.Millisecond); err != nil {
			return err
		}
		if done, err = measure.Counted(metric, url)(ctx); err != nil {
			return p.Failure(err)
		}
		before = max(before, 1)
	}
	return load.run(ctx, warmUp)
}

// next is a transaction of the load; some are probes.
func (l *alertLatency) next(n int64) (transaction.Transaction, func()) {
	if n%aProbeEach != 0 {
		return small(n), nil
	}
	probe := firstProbe + l.probes
	l.probes++
	l.note(l.sent, probe)
	return transaction.Transaction{Source: uint32(probe), Target: 1, Amount: probeAmount}, func() { l.note(l.acked, probe) }
}

func (l *alertLatency) note(in map[int64]time.Time, probe int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	in[probe] = time.Now()
}

// line notes the line of a probe, which may be one of an earlier run.
func (l *alertLatency) line(line string) {
	now := time.Now()
	if probe, ok := firstNumber(line); ok {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.lines[probe] = now
	}
}

// firstNumber is that of the words of a line.
func firstNumber(line string) (int64, bool) {
	for word := range strings.FieldsSeq(line) {
		if n, err := strconv.ParseInt(word, 10, 64); err == nil {
			return n, true
		}
	}
	return 0, false
}

// collect waits until none of a run's latencies is missing; so tells what there is of them.
func collect(ctx context.Context, p *measure.Process, what string, so func() (w waits, missing int)) (waits, error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		w, missing := so()
		if missing == 0 {
			return w, nil
		}
		select {
		case <-tick.C:
		case <-p.Exited():
			return w, p.Failure(errors.New("it has ended"))
		case <-ctx.Done():
			return w, p.Failure(fmt.Errorf("%d %s are missing: %w", missing, what, context.Cause(ctx)))
		}
	}
}

// so are the latencies so far.
func (l *alertLatency) so() (w waits, missing int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for probe, sent := range l.sent {
		at, ok := l.lines[probe]
		if !ok {
			missing++
			continue
		}
		w.sent = append(w.sent, at.Sub(sent))
		w.acked = append(w.acked, max(0, at.Sub(l.acked[probe]))) // a consumer may be faster than the acknowledgement
	}
	return w, missing
}
