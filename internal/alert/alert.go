// Package alert is the wire format of the alert topic: one JSON object a record, with what an operator and a
// program need of an alert.
//
// It is pure: no clock, no Kafka, no logging.
package alert

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"fintrans/internal/transaction"
)

// Alert says that the volume from a source to a target went over a threshold, and what set it off. The
// triggering transaction, by topic, partition and offset, is also its identity: an alert that is there twice
// is the same alert.
type Alert struct {
	Source    uint32   `json:"source"`    // account that pays
	Target    uint32   `json:"target"`    // account that is paid
	Total     uint64   `json:"total"`     // dollars
	Threshold uint64   `json:"threshold"` // dollars that had to be exceeded
	Window    int64    `json:"window_ms"` // length of the window; 0: everything since the beginning
	Transfers int      `json:"transfers"` // that make up the total
	First     Millis   `json:"first"`     // time of the oldest of them
	Last      Millis   `json:"last"`      // time of the newest of them
	Cities    []string `json:"cities"`    // where they are from, in the order of transaction.Cities
	Topic     string   `json:"topic"`     // of the triggering transaction, as what follows
	Partition int32    `json:"partition"`
	Offset    int64    `json:"offset"`
	Time      Millis   `json:"time"`
}

// Encode returns the record's value.
func (a Alert) Encode() []byte {
	value, err := json.Marshal(a)
	if err != nil { // a Millis beyond the year 9999, of which a transaction has none
		panic(fmt.Sprintf("encode an alert: %v", err))
	}
	return value
}

// Pair returns the accounts between which the money moved.
func (a Alert) Pair() transaction.Pair { return transaction.PairOf(a.Source, a.Target) }

// Parse reads a record's value. The alert is good where the reason is None.
func Parse(value []byte) (Alert, Reason) {
	if len(value) == 0 {
		return Alert{}, Empty
	}
	// What a record leaves out must not pass for a zero.
	var wire struct {
		Source *uint32 `json:"source"`
		Target *uint32 `json:"target"`
		Alert
	}
	wire.Partition, wire.Offset, wire.First, wire.Last, wire.Time = -1, -1, -1, -1, -1
	if err := json.Unmarshal(value, &wire); err != nil {
		if json.Valid(value) {
			return Alert{}, Fields
		}
		return Alert{}, NotJSON
	}
	if wire.Source == nil || wire.Target == nil {
		return Alert{}, Fields
	}
	a := wire.Alert
	a.Source, a.Target = *wire.Source, *wire.Target
	if !a.valid() {
		return Alert{}, Fields
	}
	return a, None
}

// maxNumber is the largest integer that every reader of JSON and InfluxDB holds exactly enough: 2^63-1.
const maxNumber = 1<<63 - 1

func (a Alert) valid() bool {
	known := func(city string) bool { return slices.Contains(transaction.Cities(), city) }
	for _, city := range a.Cities {
		if !known(city) {
			return false
		}
	}
	return known(a.Topic) && a.Partition >= 0 && a.Offset >= 0 && a.Time >= 0 &&
		a.First >= 0 && a.Last >= a.First && a.Transfers > 0 && a.Window >= 0 &&
		a.Total > a.Threshold && a.Total <= maxNumber
}

// Millis is an instant in milliseconds since 1970; on the wire it is RFC 3339 in UTC, with milliseconds.
type Millis int64

const layout = "2006-01-02T15:04:05.000Z"

// MarshalText writes e.g. 2026-11-25T10:00:00.123Z.
func (m Millis) MarshalText() ([]byte, error) {
	return time.UnixMilli(int64(m)).UTC().AppendFormat(nil, layout), nil
}

// UnmarshalText reads RFC 3339, in any zone and with any fraction of a second, which is cut to milliseconds.
func (m *Millis) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil {
		return err
	}
	*m = Millis(t.UnixMilli())
	return nil
}
