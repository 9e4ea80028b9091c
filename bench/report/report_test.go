package report_test

import (
	"strings"
	"testing"
	"time"

	"fintrans/bench/report"
)

func TestTableIsAligned(t *testing.T) {
	t.Parallel()
	table := report.Table{Header: []string{"what", "per second"}}
	table.Add("détecteur", "1.02 M")
	table.Add("a|b")
	want := "" +
		"| what      | per second |\n" +
		"|-----------|-----------:|\n" +
		"| détecteur |     1.02 M |\n" +
		"| a\\|b      |            |\n"
	if got := table.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestReportSaysWhatWasReached(t *testing.T) {
	t.Parallel()
	text := report.Report{
		Command: "make bench ONLY=a", Machine: "2 cores",
		Sections: []report.Section{{Title: "A", Text: "how", Tables: []report.Table{{Header: []string{"x"}}}, Notes: []string{"so it is"}}},
		Targets: []report.Target{
			{What: "speed", Against: "peer", Wanted: "at least 1", Measured: "1.2", Reached: true},
			{What: "memory", Against: "peer", Wanted: "at most 0.5", Measured: "0.7"},
		},
	}.String()
	for _, want := range []string{
		"    make bench ONLY=a\n", "2 cores\n", "## A\n\nhow\n", "so it is\n",
		"| speed  |    peer |  at least 1 |      1.2 |     yes |\n",
		"| memory |    peer | at most 0.5 |      0.7 |      NO |\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		report.Count(0):                                "0.000",
		report.Count(999):                              "999",
		report.Count(9_994):                            "9994",
		report.Count(12_345):                           "12.3 k",
		report.Count(999_499):                          "999 k",
		report.Count(1_234_567):                        "1.23 M",
		report.Ratio(0.0123):                           "0.012",
		report.Ratio(0.8571):                           "0.857",
		report.Megabytes(48_600_000):                   "48.6",
		report.Millis(1500 * time.Microsecond):         "1.50",
		report.Range(nil, report.Ratio):                "-",
		report.Range([]float64{2}, report.Ratio):       "2.00",
		report.Range([]float64{3, 1, 2}, report.Ratio): "2.00 (1.00 to 3.00)",
		report.Each([]float64{3, 1, 2}, report.Ratio):  "2.00 (3.00, 1.00, 2.00)",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
