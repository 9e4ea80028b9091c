package dashboards

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
)

var (
	cellReference  = regexp.MustCompile(`\$__cell_(\d+)`)
	fieldReference = regexp.MustCompile(`\$\{__data\.fields\.(\w+)\.numeric\}`)
)

// RowLink returns the address that a row of the table links to, relative to the root and without a slash in
// front; empty where the table has no links.
func (k Kind) RowLink(p Panel, grid Grid, row int) (string, error) {
	var missing error
	cell := func(column int, name string) string {
		if column < 0 || column >= len(grid.Columns) {
			missing = fmt.Errorf("panel %q: the link names column %s, the table has %q", p.Title, name, grid.Columns)
			return ""
		}
		return url.QueryEscape(fmt.Sprint(grid.Rows[row][column]))
	}
	link := p.Link
	if k == Grafana5 {
		link = cellReference.ReplaceAllStringFunc(link, func(match string) string {
			found := cellReference.FindStringSubmatch(match)
			column, err := strconv.Atoi(found[1])
			if err != nil {
				column = -1
			}
			return cell(column, found[1])
		})
		return link, missing
	}
	link = fieldReference.ReplaceAllStringFunc(link, func(match string) string {
		name := fieldReference.FindStringSubmatch(match)[1]
		return cell(slices.Index(grid.Columns, name), name)
	})
	if link != "" {
		link = link[1:] // both kinds alike
	}
	return link, missing
}
