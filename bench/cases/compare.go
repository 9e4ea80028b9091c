package cases

import (
	"context"
	"fmt"
	"iter"
	"time"

	"fintrans/bench/measure"
	"fintrans/bench/report"
	"fintrans/bench/scene"
	"fintrans/bench/stats"
)

// contestant is one of those that are compared.
type contestant struct {
	name string
	run  func(ctx context.Context) (measure.Figures, error)
}

// comparison is what the rounds gave, by contestant.
type comparison struct {
	contestants []contestant // the first is ours
	figures     [][]measure.Figures
}

// settling is how long servers may go on with what a run has left behind before the next one begins all the same.
const settling = 15 * time.Second

// compare runs all contestants once a round, each when the machine is idle.
func compare(ctx context.Context, s *scene.Scene, contestants ...contestant) (*comparison, error) {
	c := &comparison{contestants: contestants, figures: make([][]measure.Figures, len(contestants))}
	for round, i := range turns(1, s.Rounds, len(contestants)) {
		if err := s.Settle(ctx, settling); err != nil {
			return nil, err
		}
		figures, err := contestants[i].run(ctx)
		if err != nil {
			return nil, fmt.Errorf("round %d: %w", round, err)
		}
		s.Say("  round %d: %-28s %9s/s  %s CPU-s per million  %s MB", round, contestants[i].name,
			report.Count(figures.PerSecond()), report.Ratio(figures.PerMillion()), report.Megabytes(float64(figures.Peak)))
		c.figures[i] = append(c.figures[i], figures)
	}
	return c, nil
}

// turns are the rounds from first to last, and in each of them all contestants by their numbers: in the opposite order
// of the round before, so that none is always the one that finds the caches warm.
func turns(first, last, contestants int) iter.Seq2[int, int] {
	return func(yield func(round, contestant int) bool) {
		for round := first; round <= last; round++ {
			for i := range contestants {
				if round%2 == 0 {
					i = contestants - 1 - i
				}
				if !yield(round, i) {
					return
				}
			}
		}
	}
}

// The values that are compared.
type value func(measure.Figures) float64

func speed(f measure.Figures) float64  { return f.PerSecond() }
func cost(f measure.Figures) float64   { return f.PerMillion() }
func memory(f measure.Figures) float64 { return float64(f.Peak) }

// values are those of all rounds of a contestant; nil where it has none.
func (c *comparison) values(contestant int, of value) []float64 {
	var list []float64
	for _, f := range c.figures[contestant] {
		if v := of(f); v > 0 {
			list = append(list, v)
		}
	}
	return list
}

// median is that of all rounds of a contestant.
func (c *comparison) median(contestant int, of value) float64 {
	return stats.Of(c.values(contestant, of)).Median
}

// ratios are ours divided by the peer's, round by round.
func (c *comparison) ratios(peer int, of value) []float64 {
	return stats.Ratios(c.values(0, of), c.values(peer, of))
}

// ratio is the median of the ratios.
func (c *comparison) ratio(peer int, of value) float64 { return stats.Of(c.ratios(peer, of)).Median }

// tables are the figures and, where there is more than one contestant, the ratios.
func (c *comparison) tables() []report.Table {
	figures := report.Table{Header: []string{"", "transactions/s", "CPU-s per million", "peak MB"}}
	ratios := report.Table{Header: []string{"ratio, by round", "transactions/s", "CPU-s per million", "peak MB"}}
	for i, who := range c.contestants {
		figures.Add(who.name,
			report.Range(c.values(i, speed), report.Count),
			report.Range(c.values(i, cost), report.Ratio),
			report.Range(c.values(i, memory), report.Megabytes))
		if i > 0 {
			ratios.Add("ours / "+who.name,
				report.Each(c.ratios(i, speed), report.Ratio),
				report.Each(c.ratios(i, cost), report.Ratio),
				report.Each(c.ratios(i, memory), report.Ratio))
		}
	}
	if len(c.contestants) == 1 {
		return []report.Table{figures}
	}
	return []report.Table{figures, ratios}
}

// atLeast is the target of a ratio, or of another number, that is to be as large as wanted.
func atLeast(what, against string, wanted, measured float64) report.Target {
	return report.Target{
		What: what, Against: against, Wanted: "at least " + report.Count(wanted),
		Measured: report.Count(measured), Reached: measured >= wanted,
	}
}

// atMost is the target of a ratio, or of another number, that is to be as small as wanted.
func atMost(what, against string, wanted, measured float64, write func(float64) string) report.Target {
	return report.Target{
		What: what, Against: against, Wanted: "at most " + write(wanted),
		Measured: write(measured), Reached: measured > 0 && measured <= wanted,
	}
}
