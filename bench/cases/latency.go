package cases

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fintrans/bench/measure"
	"fintrans/bench/report"
	"fintrans/bench/scene"
	"fintrans/bench/stats"
)

const (
	// observed is how long latencies are observed at least, after the consumer has caught up and a warm-up.
	observed = 10 * time.Second
	warmUp   = 3 * time.Second
	// leastAlerts are enough for a 99th percentile that is not one or two mishaps: ten are above it.
	leastAlerts = 1000
	// targetRate is the rate, per second, at which the latency has a target.
	targetRate = 2_000
)

// waits are the latencies of one run.
type waits struct{ sent, acked []time.Duration }

// latencyCase measures from a transaction to its alert's line.
func latencyCase(ctx context.Context, s *scene.Scene) (Outcome, error) {
	out := Outcome{Section: report.Section{
		Title: "From a transaction to its alert",
		Text: fmt.Sprintf("One transaction in %d sets off an alert. Milliseconds until its line is on stdout, settings as shipped, against the bare\n"+
			"consumer, which fetches alike and prints that transaction's value. They run in turns, and once more at the same time,\n"+
			"where they wait for the same records and are disturbed by the same things.", aProbeEach),
	}}
	k, err := s.Kafka(ctx)
	if err != nil {
		return out, err
	}
	defer k.Close()
	probes := &probes{}
	for _, rate := range []int{targetRate, 10_000} {
		l := &alertLatency{scene: s, kafka: k, rate: rate, probes: probes}
		alone, err := l.inTurns(ctx)
		if err != nil {
			return out, err
		}
		out.Section.Tables = append(out.Section.Tables, latencyTable(fmt.Sprintf("at %d/s", rate), alone))
		if rate != targetRate {
			continue
		}
		out.Targets = latencyTargets(alone)
		together, err := l.atOnce(ctx)
		if err != nil {
			return out, err
		}
		out.Section.Tables = append(out.Section.Tables, latencyTable(fmt.Sprintf("at %d/s, both at once", rate), together))
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
	table.Add(ratioRow(r, []func(waits) []time.Duration{fromSend, func(w waits) []time.Duration { return w.acked }})...)
	return table
}

// ratioRow has ours divided by the peer's, round by round, for the median, p99 and max of each kind of latency.
func ratioRow(r runs, kinds []func(waits) []time.Duration) []string {
	row := []string{"ratio, by round"}
	for _, of := range kinds {
		for _, p := range []float64{50, 99, 100} {
			row = append(row, report.Each(stats.Ratios(percentiles(r.waits[0], of, p), percentiles(r.waits[1], of, p)), report.Ratio))
		}
	}
	return row
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
	scene  *scene.Scene
	kafka  *scene.Kafka
	rate   int
	probes *probes // of all rates
}

// sameFetch has the peer ask for as much of a partition as the services do while there is no backlog.
const sameFetch = "FETCH_BYTES=65536"

// alerters are what prints lines: ours and the peer.
var alerters = [2]struct {
	name, program, metric string
	settings              []string
}{
	{"laundering-detector", scene.Detector, "laundering_detector_records_total", nil},
	{"bare consumer", scene.Bare, "bare_records_total", []string{fmt.Sprintf("ALERT= %d", probeAmount), sameFetch}},
}

// inTurns has each run alone once a round. The first round is a warm-up that does not count: a broker that has just been
// started, or is asked for more than before, is slow, and would be so for whoever comes first.
func (l *alertLatency) inTurns(ctx context.Context) (runs, error) {
	r := runs{names: [2]string{alerters[0].name, alerters[1].name}}
	for round, i := range turns(0, l.scene.Rounds, len(alerters)) {
		if err := l.round(ctx, round, &r, i); err != nil {
			return r, err
		}
	}
	return r, nil
}

// atOnce has both run at the same time: whatever else happens on the machine happens to both.
func (l *alertLatency) atOnce(ctx context.Context) (runs, error) {
	r := runs{names: [2]string{alerters[0].name, alerters[1].name}}
	for round := range l.scene.Rounds {
		if err := l.round(ctx, round+1, &r, 0, 1); err != nil {
			return r, err
		}
	}
	return r, nil
}

// round adds to r what those of these numbers take, running at the same time.
func (l *alertLatency) round(ctx context.Context, round int, r *runs, which ...int) error {
	list, err := l.run(ctx, which)
	if err != nil {
		return fmt.Errorf("%s at %d/s: %w", roundName(round), l.rate, err)
	}
	for n, i := range which {
		l.scene.Say("  %s at %d/s: %-20s median %s ms, p99 %s ms of %d", roundName(round), l.rate, r.names[i],
			report.Millis(stats.Percentile(list[n].sent, 50)), report.Millis(stats.Percentile(list[n].sent, 99)), len(list[n].sent))
		if round > 0 {
			r.waits[i] = append(r.waits[i], list[n])
		}
	}
	return nil
}

// roundName tells the warm-up, which is number 0, from the rounds that count.
func roundName(round int) string {
	if round == 0 {
		return "warm-up"
	}
	return fmt.Sprintf("round %d", round)
}

func (l *alertLatency) run(ctx context.Context, which []int) ([]waits, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errors.New("the alerts did not come"))
	defer cancel()
	l.probes.begin()
	load, err := connectLoad(l.kafka, l.rate, l.probes.next)
	if err != nil {
		return nil, err
	}
	defer load.topics.Close()
	var processes []*measure.Process
	for _, i := range which {
		settings := append([]string{"BROKER=" + l.kafka.Broker(), "KAFKA_GROUP=" + l.scene.Name("bench")}, alerters[i].settings...)
		p, err := l.scene.Start(alerters[i].program, func(line string) { l.probes.printed(i, line) }, settings...)
		if err != nil {
			return nil, err
		}
		defer p.Stop(grace)
		processes = append(processes, p)
	}
	for n, p := range processes {
		if err := catchUp(ctx, p, alerters[which[n]].metric, load); err != nil {
			return nil, err
		}
	}
	first := l.probes.count()
	if err := load.run(ctx, max(observed, leastAlerts*aProbeEach*time.Second/time.Duration(l.rate))); err != nil {
		return nil, err
	}
	list := make([]waits, len(which))
	for n, p := range processes {
		if list[n], err = collect(ctx, p, "alerts", func() (waits, int) { return l.probes.since(first, which[n]) }); err != nil {
			return nil, err
		}
	}
	return list, nil
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
