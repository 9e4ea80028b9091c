// Package pipeline is what the consumers tell of themselves for the measurement pipeline: how much they have
// dealt with, how far they are behind, what they skipped. A dashboard shows by it whether its other numbers can
// be trusted.
package pipeline

import (
	"encoding/json"
	"fmt"
	"slices"
	"unicode"
	"unicode/utf8"

	"fintrans/internal/alert"
	"fintrans/internal/transaction"
)

// Point is one point of the measurement, and as JSON one record of the pipeline topic. Counts are those since
// the instance's point before. Which fields are there says what it is about: a city, one reason for bad
// records of a city, or the instance.
type Point struct {
	Service  string       `json:"service"`
	Instance string       `json:"instance"`
	City     string       `json:"city,omitempty"`
	Reason   string       `json:"reason,omitempty"`
	Time     alert.Millis `json:"time"`

	Records    *int64   `json:"records,omitempty"`     // dealt with
	LagRecords *int64   `json:"lag_records,omitempty"` // there and not dealt with
	LagSeconds *float64 `json:"lag_seconds,omitempty"` // age of the last record dealt with while there is lag, else 0
	OldestMS   *int64   `json:"oldest_ms,omitempty"`   // time of the oldest record not dealt with, at least; only while there is lag

	Bad *int64 `json:"bad,omitempty"` // records skipped, for the reason

	Retries            *int64 `json:"retries,omitempty"`
	WindowTransactions *int64 `json:"window_transactions,omitempty"`
	WindowPairs        *int64 `json:"window_pairs,omitempty"`
	WindowBytes        *int64 `json:"window_bytes,omitempty"`
	Alerts             *int64 `json:"alerts,omitempty"`

	counters map[string]float64 // that it counts, as they are now; nil where it was read
}

// Encode returns the record's value.
func (p Point) Encode() []byte {
	value, err := json.Marshal(p)
	if err != nil { // a number that JSON does not have
		panic(fmt.Sprintf("encode a point of the pipeline: %v", err))
	}
	return value
}

// Parse reads a record's value. The point is good where the reason is alert.None.
func Parse(value []byte) (Point, alert.Reason) {
	if len(value) == 0 {
		return Point{}, alert.Empty
	}
	p := Point{Time: -1}
	if err := json.Unmarshal(value, &p); err != nil {
		if json.Valid(value) {
			return Point{}, alert.Fields
		}
		return Point{}, alert.NotJSON
	}
	if !p.valid() {
		return Point{}, alert.Fields
	}
	return p, alert.None
}

func (p Point) valid() bool {
	return validTag(p.Service) && validTag(p.Instance) && p.Time >= 0 && len(p.Fields()) > 0 &&
		(p.City == "" || slices.Contains(transaction.Cities(), p.City)) && (p.Reason == "" || validTag(p.Reason))
}

// validTag keeps what others write into the topic from becoming any tag they like.
func validTag(text string) bool {
	const longest = 255
	if text == "" || len(text) > longest || !utf8.ValidString(text) {
		return false
	}
	for _, r := range text {
		if !unicode.IsPrint(r) || r == '\\' {
			return false
		}
	}
	return true
}

// Field is a field of a point: an int64 or a float64.
type Field struct {
	Name  string
	Value any
}

// Fields returns the fields that the point has, in a fixed order.
func (p Point) Fields() []Field {
	var fields []Field
	for _, f := range []struct {
		name  string
		value *int64
	}{
		{"records", p.Records}, {"lag_records", p.LagRecords}, {"oldest_ms", p.OldestMS}, {"bad", p.Bad}, {"retries", p.Retries},
		{"window_transactions", p.WindowTransactions}, {"window_pairs", p.WindowPairs}, {"window_bytes", p.WindowBytes}, {"alerts", p.Alerts},
	} {
		if f.value != nil {
			fields = append(fields, Field{f.name, *f.value})
		}
	}
	if p.LagSeconds != nil {
		fields = append(fields, Field{"lag_seconds", *p.LagSeconds})
	}
	return fields
}
