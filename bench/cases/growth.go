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
)

// day is the age of the oldest transaction where windows of up to a day are measured.
const day = 23 * time.Hour

// growthCase shows what happens with more instances, more pairs and longer windows. It has no peers and no rounds:
// what counts is how the figures change.
func growthCase(ctx context.Context, s *scene.Scene) (Outcome, error) {
	out := Outcome{Section: report.Section{
		Title: "Growth of the laundering-detector",
		Text: fmt.Sprintf("%s transactions, those with a window up to a day spread over %s; one run each. More instances share the\n"+
			"same cores here: what they show is what sharing costs.", records.Grouped(s.Records), day),
	}}
	for _, part := range []func(context.Context, *scene.Scene) (report.Table, error){byInstances, byPairs, byWindow} {
		table, err := part(ctx, s)
		if err != nil {
			return out, err
		}
		out.Section.Tables = append(out.Section.Tables, table)
	}
	return out, nil
}

var growthHeader = []string{"transactions/s", "CPU-s per million", "peak MB, all together", "held", "pairs", "state MB"}

func growthTable(by string) report.Table {
	return report.Table{Header: append([]string{by}, growthHeader...)}
}

func byInstances(ctx context.Context, s *scene.Scene) (report.Table, error) {
	table := growthTable("instances")
	set := manyPairs(s)
	k, err := warm(ctx, s, set)
	if err != nil {
		return table, err
	}
	defer k.Close()
	for _, instances := range []int{1, 2, 4} {
		g, err := grow(ctx, s, k, instances, set.Count)
		if err != nil {
			return table, err
		}
		g.add(&table, fmt.Sprint(instances))
	}
	return table, nil
}

func byPairs(ctx context.Context, s *scene.Scene) (report.Table, error) {
	table := growthTable("different pairs")
	for _, set := range []records.Set{
		{Sources: 20, Targets: 50}, {Sources: 250, Targets: 400}, {Sources: 2500, Targets: 4000, EachOnce: true},
	} {
		set.Count, set.Newest, set.Span = s.Records, time.Now(), span
		pairs := set.Pairs()
		if set.EachOnce {
			pairs = notIfQuick(s, pairs)
			set.Count = pairs
		}
		err := func() error {
			k, err := warm(ctx, s, set)
			if err != nil {
				return err
			}
			defer k.Close()
			g, err := grow(ctx, s, k, 1, set.Count)
			if err == nil {
				g.add(&table, records.Grouped(pairs))
			}
			return err
		}()
		if err != nil {
			return table, err
		}
	}
	return table, nil
}

func byWindow(ctx context.Context, s *scene.Scene) (report.Table, error) {
	table := growthTable("window")
	set := manyPairs(s)
	set.Span = day
	k, err := warm(ctx, s, set)
	if err != nil {
		return table, err
	}
	defer k.Close()
	for _, window := range []string{"1m", "1h", "6h", "24h"} {
		g, err := grow(ctx, s, k, 1, set.Count, "ALERT_WINDOW="+window, "ALERT_LATENESS=1m")
		if err != nil {
			return table, err
		}
		g.add(&table, window)
	}
	return table, nil
}

// grown is what detectors took and hold.
type grown struct {
	measure.Figures
	held, pairs, bytes float64
}

func (g grown) add(table *report.Table, name string) {
	table.Add(name, report.Count(g.PerSecond()), report.Ratio(g.PerMillion()), report.Megabytes(float64(g.Peak)),
		report.Count(g.held), report.Count(g.pairs), report.Megabytes(g.bytes))
}

// grow has instances of the detector judge all that is in the topics, together.
func grow(ctx context.Context, s *scene.Scene, k *scene.Kafka, instances int, total int64, settings ...string) (grown, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 10*time.Minute, errors.New("the detectors were too slow"))
	defer cancel()
	// Few pairs get much money each: what is measured is the window, not the alerts.
	settings = append(settings, "BROKER="+k.Broker(), "KAFKA_GROUP="+s.Name(scene.Detector), "ALERT_THRESHOLD=1000000")
	var processes []*measure.Process
	var urls []string
	for range instances {
		p, err := s.Start(scene.Detector, nil, settings...)
		if err != nil {
			return grown{}, err
		}
		defer p.Stop(grace)
		url, err := p.URL(ctx)
		if err != nil {
			return grown{}, err
		}
		processes, urls = append(processes, p), append(urls, url)
	}
	figures, err := measure.Run(ctx, processes, total, measure.Counted("laundering_detector_records_total", urls...))
	if err != nil {
		return grown{}, err
	}
	s.Say("  %9s/s  %s CPU-s per million  %s MB", report.Count(figures.PerSecond()), report.Ratio(figures.PerMillion()),
		report.Megabytes(float64(figures.Peak)))
	g := grown{Figures: figures}
	for name, to := range map[string]*float64{"transactions": &g.held, "pairs": &g.pairs, "bytes": &g.bytes} {
		for _, url := range urls {
			value, err := measure.Metric(ctx, url, "laundering_detector_window_"+name)
			if err != nil {
				return grown{}, err
			}
			*to += value
		}
	}
	return g, nil
}

// notIfQuick is so many records where a case needs that many, unless far fewer are wanted: a small run is to be a quick one.
func notIfQuick(s *scene.Scene, records int64) int64 {
	if s.Records < records/10 {
		return s.Records
	}
	return records
}

// windowCase measures what the window's state takes.
func windowCase(ctx context.Context, s *scene.Scene) (Outcome, error) {
	const held = 10_000_000
	set := records.Set{Count: notIfQuick(s, max(s.Records, held)), Sources: 1000, Targets: 1000, Newest: time.Now(), Span: span}
	k, err := s.Filled(ctx, set)
	if err != nil {
		return Outcome{}, err
	}
	defer k.Close()
	g, err := grow(ctx, s, k, 1, set.Count)
	if err != nil {
		return Outcome{}, err
	}
	allowed := 8*g.held + 64*g.pairs
	table := growthTable("window of an hour")
	g.add(&table, set.String())
	return Outcome{
		Section: report.Section{Title: "The window's state", Text: "As the detector tells it in its metrics, when it has read all.", Tables: []report.Table{table}},
		Targets: []report.Target{atMost(
			fmt.Sprintf("window state in MB, of %s transactions", report.Count(g.held)), "8 bytes per transaction and 64 per pair",
			allowed/1e6, g.bytes/1e6, report.Count)},
	}, nil
}
