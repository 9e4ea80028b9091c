package cases

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fintrans/bench/measure"
	"fintrans/bench/records"
	"fintrans/bench/report"
	"fintrans/bench/scene"
	"fintrans/bench/stats"
)

// atRest is for how long the services are observed after a warm-up.
const atRest = 20 * time.Second

const (
	// filledOver is the time over which the topics were filled before a run with a full window: an hour and the lateness.
	filledOver = 70 * time.Minute
	// filledWith is what came in that time, 1,000 a second.
	filledWith = 4_200_000
)

// quiet is one way for little to happen.
type quiet struct {
	name           string
	wait           string // GEN_WAIT_SEC
	held           int64  // transactions in the topics before
	rounds         int
	percent, bytes float64 // wanted; 0: nothing is
}

// restCase measures what the three services take together when little happens.
func restCase(ctx context.Context, s *scene.Scene) (Outcome, error) {
	out := Outcome{Section: report.Section{
		Title: "The three services at rest",
		Text: fmt.Sprintf("Settings as shipped but for the generator's pause, over %s, on topics that were empty half a minute before. Memory\n"+
			"is resident, at the end. With topics that hold 70 minutes of 1,000 transactions/s already, the detector's window is full.", atRest),
	}}
	for _, q := range []quiet{
		{"the article's rate (a transaction every 2 s)", "2", 0, s.Rounds, 2, 0},
		{"1,000 transactions/s", "0.001", 0, s.Rounds, 10, 100e6},
		{"1,000 transactions/s, the window full", "0.001", notIfQuick(s, filledWith), 1, 0, 0},
	} {
		var rounds [][]used
		for round := range q.rounds {
			usage, err := rest(ctx, s, q)
			if err != nil {
				return out, err
			}
			rounds = append(rounds, usage)
			all := usage[len(usage)-1]
			s.Say("  round %d, %s: %s %% of a core, %s MB", round+1, q.name, report.Ratio(all.percent), report.Megabytes(all.memory))
		}
		table, percent, bytes := restTable(q.name, rounds)
		out.Section.Tables = append(out.Section.Tables, table)
		if q.percent > 0 {
			out.Targets = append(out.Targets, atMost("trio at "+q.name+", %", "one core", q.percent, percent, report.Ratio))
		}
		if q.bytes > 0 {
			out.Targets = append(out.Targets, atMost("trio at "+q.name+", memory in MB", "-", q.bytes/1e6, bytes/1e6, report.Count))
		}
	}
	return out, nil
}

// restTable has the spread of each service, and the medians of all together, which come last in each round.
func restTable(name string, rounds [][]used) (table report.Table, percent, bytes float64) {
	table.Header = []string{name, "% of a core", "memory MB"}
	for i := range rounds[0] {
		var percents, memories []float64
		for _, usage := range rounds {
			percents, memories = append(percents, usage[i].percent), append(memories, usage[i].memory)
		}
		table.Add(rounds[0][i].name, report.Range(percents, report.Ratio), report.Range(memories, report.Megabytes))
		percent, bytes = stats.Of(percents).Median, stats.Of(memories).Median
	}
	return table, percent, bytes
}

// used is what a service took.
type used struct {
	name    string
	percent float64 // of a core
	memory  float64 // bytes
}

func rest(ctx context.Context, s *scene.Scene, q quiet) ([]used, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience+atRest, errors.New("the services did not get ready"))
	defer cancel()
	server, err := s.Influx(ctx)
	if err != nil {
		return nil, err
	}
	defer server.Close()
	k, err := filled(ctx, s, q.held)
	if err != nil {
		return nil, err
	}
	defer k.Close()
	var processes []*measure.Process
	for _, service := range []struct {
		name     string
		settings []string
	}{
		{scene.Generator, []string{"GEN_WAIT_SEC=" + q.wait}}, {scene.Ingest, []string{"INFLUX_API=" + server.URL()}}, {scene.Detector, nil},
	} {
		p, err := s.Start(service.name, nil, append(service.settings, "BROKER="+k.Broker())...)
		if err != nil {
			return nil, err
		}
		defer p.Stop(grace)
		processes = append(processes, p)
	}
	for i, metrics := range [][2]string{
		{"influx_ingest_points_total", "influx_ingest_consumer_lag_records"},
		{"laundering_detector_records_total", "laundering_detector_consumer_lag_records"},
	} {
		if err := caughtUp(ctx, processes[1+i], metrics[0], metrics[1], q.held); err != nil {
			return nil, processes[1+i].Failure(err)
		}
	}
	if err := measure.Pause(ctx, 2*warmUp); err != nil {
		return nil, err
	}
	return observe(ctx, processes)
}

// filled starts an Apache Kafka with so many transactions in it.
func filled(ctx context.Context, s *scene.Scene, held int64) (*scene.Kafka, error) {
	if held == 0 {
		return s.Kafka(ctx)
	}
	return s.Filled(ctx, records.Set{Count: held, Sources: 1000, Targets: 1000, Newest: time.Now(), Span: filledOver})
}

// caughtUp waits until a consumer has begun and has next to nothing left of the records that were there before, if any
// were. What has not begun has no lag.
func caughtUp(ctx context.Context, p *measure.Process, begun, lag string, held int64) error {
	const nextToNothing = 2000 // what comes within two seconds
	if held == 0 {
		return nil
	}
	url, err := p.URL(ctx)
	for err == nil {
		done, failure := measure.Metric(ctx, url, begun)
		left, another := measure.Metric(ctx, url, lag)
		if err = errors.Join(failure, another); err == nil && done > 0 && left <= nextToNothing {
			return nil
		}
		err = errors.Join(err, measure.Pause(ctx, warmUp/10))
	}
	return err
}

// observe ends with all of them together.
func observe(ctx context.Context, processes []*measure.Process) ([]used, error) {
	start, before := time.Now(), map[*measure.Process]time.Duration{}
	var err error
	for _, p := range processes {
		if before[p], err = p.CPU(); err != nil {
			return nil, p.Failure(err)
		}
	}
	if err := measure.Pause(ctx, atRest); err != nil {
		return nil, err
	}
	var list []used
	all := used{name: "together"}
	for _, p := range processes {
		cpu, err := p.CPU()
		if err != nil {
			return nil, p.Failure(err)
		}
		u := used{name: p.Name(), percent: 100 * float64(cpu-before[p]) / float64(time.Since(start))}
		memory, err := p.Resident()
		if err != nil {
			return nil, p.Failure(err)
		}
		u.memory = float64(memory)
		all.percent += u.percent
		all.memory += u.memory
		list = append(list, u)
	}
	return append(list, all), nil
}
