package alert

// Reason says why a record is no alert. The zero value, None, is a good record.
type Reason uint8

// The reasons, in the order in which they are looked for.
const (
	None    Reason = iota
	Empty          // the record has no value, or one without bytes
	NotJSON        // the value is no JSON
	Fields         // it is, but a field is missing, of another type, or says what cannot be
	Ahead          // the triggering transaction's time is too far ahead of the clock
)

var reasonNames = [...]string{None: "none", Empty: "empty", NotJSON: "not_json", Fields: "fields", Ahead: "ahead"}

var reasonHelp = [...]string{
	None:    "",
	Empty:   "the record has no value; expected an alert as JSON",
	NotJSON: "the value is no JSON; expected an alert, as the detector writes it",
	Fields:  "a field of the JSON is missing or says what cannot be; expected an alert, as the detector writes it",
	Ahead:   "the triggering transaction's time is further ahead of the clock than MAX_AHEAD; check the clocks",
}

// String returns the reason's name as it appears in metric labels.
func (r Reason) String() string { return reasonNames[r] }

// Help says what is wrong with the record and what was expected, for a log line.
func (r Reason) Help() string { return reasonHelp[r] }

// Reasons returns every reason for which a record is skipped.
func Reasons() []Reason { return []Reason{Empty, NotJSON, Fields, Ahead} }
