// Package report writes what was measured: as Markdown that is aligned, so that it reads well on a terminal, too.
package report

import (
	"strings"
	"unicode/utf8"
)

// Table is a header and rows of as many cells.
type Table struct {
	Header []string
	Rows   [][]string
}

// Add appends a row.
func (t *Table) Add(cells ...string) { t.Rows = append(t.Rows, cells) }

// String is the table in Markdown, with its columns aligned: the first to the left, the others, which are
// numbers, to the right. A cell that is missing is empty.
func (t *Table) String() string {
	widths := make([]int, len(t.Header))
	for _, row := range append([][]string{t.Header}, t.Rows...) {
		for i := range widths {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell(row, i)), 3)
		}
	}
	var text strings.Builder
	line := func(row []string) {
		for i, width := range widths {
			pad := strings.Repeat(" ", width-utf8.RuneCountInString(cell(row, i)))
			if i == 0 {
				text.WriteString("| " + cell(row, i) + pad + " ")
			} else {
				text.WriteString("| " + pad + cell(row, i) + " ")
			}
		}
		text.WriteString("|\n")
	}
	line(t.Header)
	for i, width := range widths {
		dashes := strings.Repeat("-", width)
		if i == 0 {
			text.WriteString("|" + dashes + "--")
		} else {
			text.WriteString("|" + dashes + "-:")
		}
	}
	text.WriteString("|\n")
	for _, row := range t.Rows {
		line(row)
	}
	return text.String()
}

func cell(row []string, i int) string {
	if i >= len(row) {
		return ""
	}
	return strings.ReplaceAll(row[i], "|", `\|`)
}
