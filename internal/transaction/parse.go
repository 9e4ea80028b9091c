package transaction

import "math"

// Reason says why a record is no transaction. The zero value, None, is a good record.
type Reason uint8

// The reasons, in the order in which they are looked for.
const (
	None        Reason = iota
	Tombstone          // the record has no value at all
	Empty              // the value has no bytes
	Fields             // not three fields separated by single spaces
	Negative           // a field is a negative number
	NotANumber         // a field is not an unsigned decimal integer
	Overflow           // a field is 2^32 or more
	NoTimestamp        // the record carries no time
	Ahead              // the record's time is too far ahead of the clock
)

var reasonNames = [...]string{
	None:        "none",
	Tombstone:   "tombstone",
	Empty:       "empty",
	Fields:      "fields",
	Negative:    "negative",
	NotANumber:  "not_a_number",
	Overflow:    "overflow",
	NoTimestamp: "no_timestamp",
	Ahead:       "ahead",
}

var reasonHelp = [...]string{
	None:        "",
	Tombstone:   "the record has no value; expected 'source target amount'",
	Empty:       "the value is empty; expected 'source target amount'",
	Fields:      "the value is not three fields separated by one space; expected 'source target amount'",
	Negative:    "a field is negative; expected unsigned decimal integers",
	NotANumber:  "a field is not a number; expected unsigned decimal integers",
	Overflow:    "a field is 2^32 or more; expected integers below 4294967296",
	NoTimestamp: "the record has no timestamp; use a producer that sends one (message format 0.10 or later), or set message.timestamp.type=LogAppendTime on the topic",
	Ahead:       "the record's time is further ahead of the clock than MAX_AHEAD; check the clocks of the producer and of this host",
}

// String returns the reason's name as it appears in metric labels.
func (r Reason) String() string { return reasonNames[r] }

// Help says what is wrong with the record and what was expected, for a log line.
func (r Reason) Help() string { return reasonHelp[r] }

// Reasons returns every reason for which a record is skipped.
func Reasons() []Reason {
	return []Reason{Tombstone, Empty, Fields, Negative, NotANumber, Overflow, NoTimestamp, Ahead}
}

// Parse reads a record's value: three unsigned decimal integers, each below
// 2^32, separated by one space. A nil value is a tombstone. It does not allocate.
func Parse(value []byte) (Transaction, Reason) {
	if len(value) == 0 {
		if value == nil {
			return Transaction{}, Tombstone
		}
		return Transaction{}, Empty
	}
	var fields [3]field
	if !split(value, &fields) {
		return Transaction{}, Fields
	}
	var numbers [3]uint32
	for i, f := range fields {
		n, reason := number(value[f.from:f.to])
		if reason != None {
			return Transaction{}, reason
		}
		numbers[i] = n
	}
	return Transaction{Source: numbers[0], Target: numbers[1], Amount: numbers[2]}, None
}

// Judge is Parse for a whole record: it also refuses one without a timestamp
// (a negative number of milliseconds since 1970) or with one later than latest.
func Judge(value []byte, millis, latest int64) (Transaction, Reason) {
	t, reason := Parse(value)
	switch {
	case reason != None:
		return Transaction{}, reason
	case millis < 0:
		return Transaction{}, NoTimestamp
	case millis > latest:
		return Transaction{}, Ahead
	}
	return t, None
}

type field struct{ from, to int }

// split finds three non-empty fields between exactly two spaces.
func split(value []byte, fields *[3]field) bool {
	n, start := 0, 0
	for i, b := range value {
		if b != ' ' {
			continue
		}
		if n == 2 || i == start {
			return false
		}
		fields[n] = field{start, i}
		n, start = n+1, i+1
	}
	if n != 2 || start == len(value) {
		return false
	}
	fields[2] = field{start, len(value)}
	return true
}

// number reads a field. It looks at each byte once: a producer's noise may be megabytes of signs.
func number(digits []byte) (uint32, Reason) {
	if digits[0] != '-' || len(digits) == 1 {
		return unsigned(digits)
	}
	if _, reason := unsigned(digits[1:]); reason == NotANumber {
		return 0, NotANumber
	}
	return 0, Negative
}

func unsigned(digits []byte) (uint32, Reason) {
	n, overflow := uint64(0), false
	for _, b := range digits {
		if b < '0' || b > '9' {
			return 0, NotANumber
		}
		n = n*10 + uint64(b-'0')
		if n > math.MaxUint32 {
			n, overflow = math.MaxUint32, true // keep looking: 'x' further on is the better answer
		}
	}
	if overflow {
		return 0, Overflow
	}
	return uint32(n), None
}
