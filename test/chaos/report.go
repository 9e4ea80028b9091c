package chaos

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"fintrans/demo/show"
)

// Report is all that is told of a run.
type Report struct {
	Seed       uint64
	Command    string // that runs the same faults again
	Ran        time.Duration
	Faults     map[string]int // by row
	Recoveries map[string]Recovery
	Stood      map[string]Standstill
	Verdict
}

// Write writes the tables, and what is broken.
func (r Report) Write(to io.Writer) error {
	lines := []string{"", fmt.Sprintf("%v of faults, seed %d", r.Ran.Round(time.Second), r.Seed)}
	lines = append(lines, r.faults()...)
	lines = append(lines, "")
	lines = append(lines, r.outcome()...)
	lines = append(lines, "")
	lines = append(lines, r.standstills()...)
	lines = append(lines, "")
	const most = 20 // they say enough
	for _, broken := range r.Broken[:min(most, len(r.Broken))] {
		lines = append(lines, "BROKEN: "+broken)
	}
	if len(r.Broken) == 0 {
		lines = append(lines, "all promises were kept")
	} else {
		lines = append(lines, fmt.Sprintf("%d promises were broken; the same faults again: %s", len(r.Broken), r.Command))
	}
	for _, line := range lines {
		if _, err := fmt.Fprintln(to, line); err != nil {
			return err
		}
	}
	return nil
}

// faults are how often each kind came, and how long it took to recover: alone, and amid other faults.
func (r Report) faults() []string {
	rows := [][]string{{"fault", "times", "recovered alone", "median", "worst", "amid others", "median", "worst"}}
	total := 0
	for _, row := range slices.Sorted(maps.Keys(r.Faults)) {
		total += r.Faults[row]
		cells := []string{row, show.Number(int64(r.Faults[row]))}
		for _, took := range [][]time.Duration{r.Recoveries[row].Alone, r.Recoveries[row].Others} {
			cells = append(cells, recovery(took)...)
		}
		rows = append(rows, cells)
	}
	return show.Columns(append(rows, []string{"all", show.Number(int64(total))}))
}

// recovery is how many recoveries there are, their median and the longest.
func recovery(took []time.Duration) []string {
	if len(took) == 0 {
		return []string{"-", "-", "-"}
	}
	return []string{fmt.Sprint(len(took)), seconds(took[(len(took)-1)/2]), seconds(took[len(took)-1])}
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// outcome is what came of the promises, number by number.
func (r Report) outcome() []string {
	number := func(name string, n int64) []string { return []string{name, show.Number(n)} }
	count := func(name string, n int) []string { return number(name, int64(n)) }
	return show.Columns([][]string{
		number("transactions", r.Transactions),
		number("acknowledged by the generator", r.Acknowledged),
		count("appended twice", r.AppendedTwice),
		number("too old for InfluxDB", r.Older),
		number("lost", r.Lost),
		number("duplicated", r.Duplicated),
		count("episodes", r.Episodes),
		count("alerts on stdout", r.Lines.Found),
		count("  missing", r.Lines.Missing),
		count("  outside an episode", r.Lines.Outside),
		count("  repeated", r.Lines.Repeated),
		count("alerts published", r.Published.Found),
		count("  missing", r.Published.Missing),
		count("  outside an episode", r.Published.Outside),
		count("  repeated", r.Published.Repeated),
		count("  not in InfluxDB", r.Unstored),
	})
}

// standstills are the longest times without progress.
func (r Report) standstills() []string {
	rows := [][]string{{"longest time without progress", "at all", "all servers there"}}
	for _, service := range services() {
		rows = append(rows, []string{service, seconds(r.Stood[service].Longest), seconds(r.Stood[service].Quiet)})
	}
	return show.Columns(rows)
}
