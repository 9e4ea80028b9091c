package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// logLine is a line of a service's log, which the demo asks for as JSON.
type logLine struct {
	level, message string
	fields         map[string]any
}

// parseLog reads a line; ok is false for one that is no JSON, such as those of a panic.
func parseLog(line string) (l logLine, ok bool) {
	decoder := json.NewDecoder(strings.NewReader(line))
	decoder.UseNumber() // sums need all their digits
	if err := decoder.Decode(&l.fields); err != nil {
		return logLine{}, false
	}
	l.level, l.message = l.text("level"), l.text("msg")
	for _, known := range []string{"level", "msg", "time"} {
		delete(l.fields, known)
	}
	return l, true
}

func (l logLine) text(field string) string {
	text, _ := l.fields[field].(string)
	return text
}

// number is a field that is a whole number; 0 where it is not.
func (l logLine) number(field string) int64 {
	text, _ := l.fields[field].(json.Number)
	n, err := text.Int64()
	if err != nil {
		return 0
	}
	return n
}

// severe says whether somebody who watches should know.
func (l logLine) severe() bool { return !slices.Contains([]string{"info", "debug", "trace"}, l.level) }

// String is the message with its fields.
func (l logLine) String() string {
	var b strings.Builder
	b.WriteString(l.message)
	for _, field := range slices.Sorted(maps.Keys(l.fields)) {
		fmt.Fprintf(&b, " %s=%v", field, l.fields[field])
	}
	return b.String()
}
