package alert

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
)

const example = `{"source":516,"target":482,"total":10644,"threshold":10000,"window_ms":3600000,"transfers":5,` +
	`"first":"2026-11-25T10:00:00.123Z","last":"2026-11-25T10:05:00.456Z","cities":["London","NYC"],` +
	`"topic":"London","partition":3,"offset":1234,"time":"2026-11-25T10:05:00.456Z"}`

var exampleAlert = Alert{
	Source: 516, Target: 482, Total: 10644, Threshold: 10000, Window: 3_600_000, Transfers: 5,
	First: 1795600800123, Last: 1795601100456, Cities: []string{"London", "NYC"},
	Topic: "London", Partition: 3, Offset: 1234, Time: 1795601100456,
}

func TestEncode(t *testing.T) {
	t.Parallel()
	if got := string(exampleAlert.Encode()); got != example {
		t.Errorf("got  %s\nwant %s", got, example)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	replace := func(old, with string) string {
		if strings.Count(example, old) != 1 {
			panic("the example has not exactly one " + old)
		}
		return strings.Replace(example, old, with, 1)
	}
	tests := []struct {
		name  string
		value string
		want  Reason
	}{
		{"the example", example, None},
		{"a field of a later version", replace(`{"source"`, `{"note":"x","source"`), None},
		{"another zone", replace(`"time":"2026-11-25T10:05:00.456Z"`, `"time":"2026-11-25T11:05:00.4569+01:00"`), None},
		{"everything since the beginning", replace(`"window_ms":3600000`, `"window_ms":0`), None},
		{"nothing", "", Empty},
		{"a transaction", "516 482 10644", NotJSON},
		{"half of it", example[:100], NotJSON},
		{"noise", "\xff\x00", NotJSON},
		{"a list", "[]", Fields},
		{"null", "null", Fields},
		{"no fields", "{}", Fields},
		{"no source", replace(`"source":516,`, ""), Fields},
		{"no target", replace(`"target":482,`, ""), Fields},
		{"a source of 2^32", replace("516", "4294967296"), Fields},
		{"a negative target", replace("482", "-1"), Fields},
		{"no total", replace(`"total":10644,`, ""), Fields},
		{"a total that is not over the threshold", replace("10644", "10000"), Fields},
		{"a total of 2^63", replace("10644", "9223372036854775808"), Fields},
		{"no transfers", replace(`"transfers":5,`, ""), Fields},
		{"a negative window", replace("3600000", "-1"), Fields},
		{"the last before the first", replace(`"first":"2026`, `"first":"2027`), Fields},
		{"no first", replace(`"first":"2026-11-25T10:00:00.123Z",`, ""), Fields},
		{"an unknown topic", replace(`"topic":"London"`, `"topic":"Paris"`), Fields},
		{"no topic", replace(`"topic":"London",`, ""), Fields},
		{"an unknown city", replace(`"NYC"`, `"Paris"`), Fields},
		{"no partition", replace(`"partition":3,`, ""), Fields},
		{"a negative offset", replace("1234", "-5"), Fields},
		{"no offset", replace(`"offset":1234,`, ""), Fields},
		{"no time", replace(`,"time":"2026-11-25T10:05:00.456Z"`, ""), Fields},
		{"a time before 1970", replace(`"time":"2026`, `"time":"1926`), Fields},
		{"a time that is none", replace(`"time":"2026-11-25`, `"time":"yesterday`), Fields},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, reason := Parse([]byte(tt.value))
			if reason != tt.want {
				t.Errorf("got %v, want %v", reason, tt.want)
			}
			if tt.value == example && !reflect.DeepEqual(got, exampleAlert) {
				t.Errorf("got %+v, want %+v", got, exampleAlert)
			}
			if tt.want != None && reason.Help() == "" {
				t.Errorf("%v does not help", reason)
			}
		})
	}
}

func TestLargestNumbersSurvive(t *testing.T) {
	t.Parallel()
	a := exampleAlert
	a.Source, a.Target, a.Total, a.Offset = math.MaxUint32, math.MaxUint32, math.MaxInt64, math.MaxInt64
	got, reason := Parse(a.Encode())
	if reason != None || !reflect.DeepEqual(got, a) {
		t.Errorf("got %+v, %v; want %+v", got, reason, a)
	}
}

// FuzzParse: no panic, and what parses is written and read again as the same.
func FuzzParse(f *testing.F) {
	f.Add([]byte(example))
	f.Add([]byte(`{"source":1,"target":2}`))
	f.Add([]byte("[]"))
	f.Fuzz(func(t *testing.T, value []byte) {
		a, reason := Parse(value)
		if reason != None {
			return
		}
		again, reason := Parse(a.Encode())
		if reason != None || fmt.Sprint(again) != fmt.Sprint(a) {
			t.Errorf("%q: read as %+v, then as %+v, %v", value, a, again, reason)
		}
	})
}
