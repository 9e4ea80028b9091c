package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// kind is what an answer to a write means, and so what becomes of its points.
type kind uint8

const (
	accepted    kind = iota // all are stored
	partial                 // all are stored but some, which are refused for good
	refused                 // none is stored, because of at least one that InfluxDB cannot take
	tooLarge                // none is stored: there are too many in one POST
	missing                 // the database or the policy is not there: make it, then try again
	denied                  // the user may not write: try again, somebody has to put it right
	unavailable             // no answer, or one that says later: try again
	unexpected              // an answer that InfluxDB does not give: try again, nothing is dropped
)

var kindNames = [...]string{
	accepted:    "accepted",
	partial:     "partial",
	refused:     "refused",
	tooLarge:    "too_large",
	missing:     "missing",
	denied:      "denied",
	unavailable: "unavailable",
	unexpected:  "unexpected",
}

// String is the kind as a metric's label.
func (k kind) String() string { return kindNames[k] }

// verdict is the outcome of one POST.
type verdict struct {
	kind    kind
	status  int    // of HTTP, 0 without an answer
	reason  string // one line
	dropped int    // points, where the kind is partial
}

// String says what happened, for a log line or /ready.
func (v verdict) String() string {
	if v.status == 0 {
		return v.reason
	}
	text := fmt.Sprintf("status %d", v.status)
	if v.reason != "" {
		text += ": " + v.reason
	}
	return text
}

// Reasons why InfluxDB refuses a point for good, as metric labels.
const (
	rejectRetention = "retention"  // it was older than the policy when it came
	rejectConflict  = "conflict"   // a field has another type in the database
	rejectParse     = "unparsable" // it is no line protocol to InfluxDB
	rejectOther     = "other"      // e.g. a limit of the database
)

func rejectReasons() []string {
	return []string{rejectRetention, rejectConflict, rejectParse, rejectOther}
}

// rejection is the label of the reason why points were refused.
func (v verdict) rejection() string {
	switch {
	case strings.Contains(v.reason, "retention policy"):
		return rejectRetention
	case strings.Contains(v.reason, "field type conflict"):
		return rejectConflict
	case strings.Contains(v.reason, "unable to parse"):
		return rejectParse
	}
	return rejectOther
}

// classify says what an answer means. What is not known for certain to be a
// refusal of InfluxDB's own is tried again: no answer of a proxy loses a point.
func classify(status int, body []byte) verdict {
	v := verdict{status: status, reason: errorText(body)}
	v.kind = v.classify()
	if v.kind == partial {
		v.dropped = droppedPoints(v.reason)
	}
	return v
}

func (v verdict) classify() kind {
	has := func(text string) bool { return strings.Contains(v.reason, text) }
	switch {
	case v.status == http.StatusNoContent: // the one answer that InfluxDB documents as success
		return accepted
	case has("database not found"), has("retention policy not found"):
		return missing
	case v.status == http.StatusUnauthorized, v.status == http.StatusForbidden:
		return denied
	case v.status == http.StatusRequestTimeout, v.status == http.StatusTooManyRequests, v.status >= 500:
		return unavailable
	case v.status == http.StatusRequestEntityTooLarge:
		return tooLarge
	case v.status == http.StatusBadRequest && has("partial write"):
		return partial
	case v.status == http.StatusBadRequest && (has("unable to parse") || has("field type conflict")):
		return refused
	}
	return unexpected
}

// errorText is the error of InfluxDB's JSON, or the beginning of whatever came instead.
func errorText(body []byte) string {
	const most = 300
	var answer struct {
		Error string `json:"error"`
	}
	text := string(body)
	if json.Unmarshal(body, &answer) == nil && answer.Error != "" {
		text = answer.Error
	}
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "?")), " ")
	if len(text) <= most {
		return text
	}
	// 'dropped=N' is last, and a reason may quote many lines.
	return strings.ToValidUTF8(text[:most/2]+" ... "+text[len(text)-most/2:], "?")
}

// droppedPoints is how many points a partial write left out. Those that could
// not be parsed are not in InfluxDB's own count.
func droppedPoints(reason string) int {
	dropped := 0
	if i := strings.LastIndex(reason, "dropped="); i >= 0 {
		digits := reason[i+len("dropped="):]
		if end := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
			digits = digits[:end]
		}
		if n, err := strconv.Atoi(digits); err == nil {
			dropped = n
		}
	}
	return dropped + strings.Count(reason, "unable to parse")
}
