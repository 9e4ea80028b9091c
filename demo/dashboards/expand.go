package dashboards

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Range is a range of time in the words of an address: now, now-1h, or milliseconds since 1970.
type Range struct{ From, To string }

// relative is a time before now, with the units that both kinds of Grafana hand on to InfluxDB.
var relative = regexp.MustCompile(`^now-(\d+)([dhms])$`)

// At returns the time that a word of a range means.
func At(word string, now time.Time) (time.Time, error) {
	if word == "now" {
		return now, nil
	}
	if found := relative.FindStringSubmatch(word); found != nil {
		units := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}
		count, err := strconv.ParseInt(found[1], 10, 32)
		return now.Add(-time.Duration(count) * units[found[2]]), err
	}
	millis, err := strconv.ParseInt(word, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("time %q is none of now, now-1h and milliseconds since 1970", word)
	}
	return time.UnixMilli(millis), nil
}

// Values are those of the variables. A variable without a value is empty, as in Grafana.
type Values map[string][]string

// reference is a variable within a query; there is nothing but this form in our files.
var reference = regexp.MustCompile(`\$(\w+)`)

// Expand makes a statement of a query as the kind of Grafana does, for the variables of the dashboard.
func (d Dashboard) Expand(query string, values Values, r Range, now time.Time) (string, error) {
	filter, err := d.Kind.timeFilter(r, now)
	if err != nil {
		return "", err
	}
	multi := map[string]bool{}
	for _, v := range d.Variables {
		multi[v.Name] = v.Multi
	}
	expanded := reference.ReplaceAllStringFunc(query, func(match string) string {
		name := match[1:]
		isMulti, ours := multi[name]
		switch {
		case name == "timeFilter":
			return filter
		case !ours:
			err = fmt.Errorf("query %q: $%s is no variable of dashboard %q", query, name, d.Title)
			return match
		}
		return format(values[name], isMulti)
	})
	return expanded, err
}

// format writes the values of a variable into a query. Both kinds escape what a regular expression would
// understand and join several values for one; a single one is written alone by Grafana 5 and in parentheses by
// current ones, which is the same to InfluxDB.
func format(values []string, multi bool) string {
	escaped := make([]string, len(values))
	for i, value := range values {
		escaped[i] = regexp.QuoteMeta(value)
	}
	if multi && len(values) != 1 {
		return "(" + strings.Join(escaped, "|") + ")"
	}
	return strings.Join(escaped, "")
}

// timeFilter is what a kind of Grafana puts in place of $timeFilter.
func (k Kind) timeFilter(r Range, now time.Time) (string, error) {
	from, err := At(r.From, now)
	if err != nil {
		return "", err
	}
	to, err := At(r.To, now)
	if err != nil {
		return "", err
	}
	if k == Current {
		return fmt.Sprintf("time >= %dms and time <= %dms", from.UnixMilli(), to.UnixMilli()), nil
	}
	begin, end := influxTime5(r.From, from), influxTime5(r.To, to)
	if end == "now()" && !strings.HasSuffix(begin, "s") {
		return "time > " + begin, nil
	}
	return "time > " + begin + " and time < " + end, nil
}

// influxTime5 leaves what is relative to InfluxDB and cuts everything else to seconds.
func influxTime5(word string, at time.Time) string {
	if word == "now" {
		return "now()"
	}
	if found := relative.FindStringSubmatch(word); found != nil {
		return "now() - " + found[1] + found[2]
	}
	return fmt.Sprintf("%.0fs", math.Round(float64(at.UnixMilli())/1000))
}
