package oracle

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// alertLine is the line of an alert, to the letter.
var alertLine = regexp.MustCompile(`^POTENTIAL MONEY LAUNDERING: (0|[1-9][0-9]*) -> (0|[1-9][0-9]*) totalling (0|[1-9][0-9]*) now$`)

// ParseAlerts reads the lines of a detector's stdout. A line that is anything but an alert is an error.
func ParseAlerts(lines []string) ([]Alert, error) {
	alerts := make([]Alert, len(lines))
	for i, line := range lines {
		found := alertLine.FindStringSubmatch(line)
		if found == nil {
			return nil, fmt.Errorf("line %d of stdout is no alert: %q", i+1, line)
		}
		source, err1 := strconv.ParseUint(found[1], 10, 32)
		target, err2 := strconv.ParseUint(found[2], 10, 32)
		total, err3 := strconv.ParseUint(found[3], 10, 64)
		if err1 != nil || err2 != nil || err3 != nil {
			return nil, fmt.Errorf("line %d of stdout has a number that is too large: %q", i+1, line)
		}
		alerts[i] = Alert{Pair{uint32(source), uint32(target)}, total}
	}
	return alerts, nil
}

// ParseTransfer reads a record's value: source, target and amount, each below 2^32, with one space
// between. ok is false for the value of a bad record. The time is left for the caller.
func ParseTransfer(value []byte) (t Transfer, ok bool) {
	fields := strings.Split(string(value), " ")
	numbers := []*uint32{&t.Source, &t.Target, &t.Amount}
	if len(fields) != len(numbers) {
		return Transfer{}, false
	}
	for i, field := range fields {
		n, err := strconv.ParseUint(field, 10, 32)
		if err != nil {
			return Transfer{}, false
		}
		*numbers[i] = uint32(n)
	}
	return t, true
}
