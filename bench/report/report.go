package report

import (
	"fmt"
	"strings"
)

// Target is something that has to be reached.
type Target struct {
	What     string
	Against  string
	Wanted   string
	Measured string
	Reached  bool
}

// Section is what one case has found.
type Section struct {
	Title  string
	Text   string // how it was measured
	Tables []Table
	Notes  []string
}

// Report is what a run of the bench has found.
type Report struct {
	Command  string // that makes it again
	Machine  string // and everything else that the figures depend on
	Sections []Section
	Targets  []Target
}

// String is the report in Markdown.
func (r Report) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "# What was measured\n\n    %s\n\n%s\n", r.Command, r.Machine)
	for _, s := range r.Sections {
		text.WriteString("\n" + s.String())
	}
	if len(r.Targets) > 0 {
		text.WriteString("\n## Targets\n\n" + targets(r.Targets))
	}
	return text.String()
}

// String is the section in Markdown.
func (s Section) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "## %s\n\n", s.Title)
	if s.Text != "" {
		text.WriteString(s.Text + "\n\n")
	}
	for i, t := range s.Tables {
		if i > 0 {
			text.WriteString("\n")
		}
		text.WriteString(t.String())
	}
	for _, note := range s.Notes {
		text.WriteString("\n" + note + "\n")
	}
	return text.String()
}

func targets(list []Target) string {
	t := Table{Header: []string{"what", "against", "wanted", "measured", "reached"}}
	for _, target := range list {
		t.Add(target.What, target.Against, target.Wanted, target.Measured, map[bool]string{true: "yes", false: "NO"}[target.Reached])
	}
	return t.String()
}
