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
	probes := &probes{}
	for _, rate := range []int{2_000, 10_000} {
		l := &alertLatency{scene: s, kafka: k, rate: rate, probes: probes}
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
	scene  *scene.Scene
	kafka  *scene.Kafka
	rate   int
	probes *probes // of all rates
}

// rounds has both run once a round. The first round is a warm-up that does not count: a broker that has just been
// started, or is asked for more than before, is slow, and would be so for whoever comes first.
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
	for round, i := range turns(0, l.scene.Rounds, len(start)) {
		w, err := l.run(ctx, start[i], metric[i])
		if err != nil {
			return r, fmt.Errorf("%s at %d/s: %w", roundName(round), l.rate, err)
		}
		l.scene.Say("  %s at %d/s: %-20s median %s ms, p99 %s ms of %d", roundName(round), l.rate, r.names[i],
			report.Millis(stats.Percentile(w.sent, 50)), report.Millis(stats.Percentile(w.sent, 99)), len(w.sent))
		if round > 0 {
			r.waits[i] = append(r.waits[i], w)
		}
	}
	return r, nil
}

// roundName tells the warm-up, which is number 0, from the rounds that count.
func roundName(round int) string {
	if round == 0 {
		return "warm-up"
	}
	return fmt.Sprintf("round %d", round)
}

func (l *alertLatency) run(ctx context.Context, start func(func(string), string) (*measure.Process, error), metric string) (waits, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errors.New("the alerts did not come"))
	defer cancel()
	l.probes.begin()
	p, err := start(l.probes.printed, l.scene.Name("bench"))
	if err != nil {
		return waits{}, err
	}
	defer p.Stop(grace)
	load, err := connectLoad(l.kafka, l.rate, l.probes.next)
	if err != nil {
		return waits{}, err
	}
	defer load.topics.Close()
	if err := catchUp(ctx, p, metric, load); err != nil {
		return waits{}, err
	}
	first := l.probes.count()
	if err := load.run(ctx, max(observed, leastAlerts*aProbeEach*time.Second/time.Duration(l.rate))); err != nil {
		return waits{}, err
	}
	return collect(ctx, p, "alerts", func() (waits, int) { return l.probes.since(first) })
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
