package cases

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fintrans/bench/measure"
	"fintrans/bench/report"
	"fintrans/bench/scene"
)

// atRest is for how long the services are observed after a warm-up.
const atRest = 20 * time.Second

// restCase measures what the three services take together when little happens.
func restCase(ctx context.Context, s *scene.Scene) (Outcome, error) {
	out := Outcome{Section: report.Section{
		Title: "The three services at rest",
		Text:  fmt.Sprintf("Settings as shipped but for the generator's pause, over %s; one run each. Memory is resident, at the end.", atRest),
	}}
	for _, at := range []struct {
		name, wait     string
		percent, bytes float64 // wanted; 0: nothing is
	}{
		{"the article's rate (a transaction every 2 s)", "2", 2, 0},
		{"1,000 transactions/s", "0.001", 10, 100e6},
	} {
		usage, err := rest(ctx, s, at.wait)
		if err != nil {
			return out, err
		}
		table := report.Table{Header: []string{at.name, "% of a core", "memory MB"}}
		all := used{name: "together"}
		for _, u := range usage {
			table.Add(u.name, report.Ratio(u.percent), report.Megabytes(float64(u.memory)))
			all.percent += u.percent
			all.memory += u.memory
		}
		table.Add(all.name, report.Ratio(all.percent), report.Megabytes(float64(all.memory)))
		s.Say("  %s: %s %% of a core, %s MB", at.name, report.Ratio(all.percent), report.Megabytes(float64(all.memory)))
		out.Section.Tables = append(out.Section.Tables, table)
		out.Targets = append(out.Targets, atMost("trio at "+at.name+", %", "one core", at.percent, all.percent, report.Ratio))
		if at.bytes > 0 {
			out.Targets = append(out.Targets, atMost("trio at "+at.name+", memory in MB", "-", at.bytes/1e6, float64(all.memory)/1e6, report.Count))
		}
	}
	return out, nil
}

// used is what a service took.
type used struct {
	name    string
	percent float64 // of a core
	memory  int64   // bytes
}

func rest(ctx context.Context, s *scene.Scene, wait string) ([]used, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience+atRest, errors.New("the services did not get ready"))
	defer cancel()
	server, err := s.Influx(ctx)
	if err != nil {
		return nil, err
	}
	defer server.Close()
	k, err := s.Kafka(ctx)
	if err != nil {
		return nil, err
	}
	defer k.Close()
	var processes []*measure.Process
	for _, service := range []struct {
		name     string
		settings []string
	}{
		{scene.Generator, []string{"GEN_WAIT_SEC=" + wait}}, {scene.Ingest, []string{"INFLUX_API=" + server.URL()}}, {scene.Detector, nil},
	} {
		p, err := s.Start(service.name, nil, append(service.settings, "BROKER="+k.Broker())...)
		if err != nil {
			return nil, err
		}
		defer p.Stop(grace)
		processes = append(processes, p)
	}
	if err := measure.Pause(ctx, 2*warmUp); err != nil {
		return nil, err
	}
	return observe(ctx, processes)
}

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
	for _, p := range processes {
		cpu, err := p.CPU()
		if err != nil {
			return nil, p.Failure(err)
		}
		u := used{name: p.Name(), percent: 100 * float64(cpu-before[p]) / float64(time.Since(start))}
		if u.memory, err = p.Resident(); err != nil {
			return nil, p.Failure(err)
		}
		list = append(list, u)
	}
	return list, nil
}
