package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The README's figures are those of the reports, row by row.
func TestTheReadmeQuotesTheReports(t *testing.T) {
	t.Parallel()
	root, err := checkout()
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(readme), "\n## How fast, and how small\n")
	if !found {
		t.Fatal("the README has no section on how fast it is")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	reports, err := filepath.Glob(filepath.Join(root, "bench", "results", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	measured := map[string]bool{}
	for _, report := range reports {
		text, err := os.ReadFile(report)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			measured[row(line)] = true
		}
	}
	quoted := 0
	for line := range strings.Lines(section) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| what ") {
			continue
		}
		quoted++
		if !measured[row(line)] {
			t.Errorf("the README's row is in no report of bench/results:\n%s", line)
		}
	}
	if quoted < 10 {
		t.Errorf("the README quotes %d rows, want the targets", quoted)
	}
}

// row is a row of a table, however it is aligned.
func row(line string) string {
	cells := strings.Split(strings.TrimSpace(line), "|")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return strings.Join(cells, "|")
}
