package main

import (
	"strings"
	"testing"
)

func TestClassify(t *testing.T) {
	t.Parallel()
	long := "partial write: " + strings.Repeat("x", 5000) + " dropped=7"
	tests := []struct {
		name    string
		status  int
		body    string
		want    kind
		dropped int
		reason  string // of a rejection
	}{
		{"stored", 204, "", accepted, 0, ""},
		{"an empty 200, which is not InfluxDB's", 200, "", unexpected, 0, ""},
		{"a login page", 200, "<html>log in</html>", unexpected, 0, ""},
		{"database dropped", 404, `{"error":"database not found: \"fintrans\""}`, missing, 0, ""},
		{"policy dropped", 500, `{"error":"retention policy not found: hour"}`, missing, 0, ""},
		{"policy dropped, as a bad request", 400, `{"error":"retention policy not found: hour"}`, missing, 0, ""},
		{"wrong password", 401, `{"error":"authorization failed"}`, denied, 0, ""},
		{"may not write", 403, `{"error":"\"bob\" user is not authorized to write to database \"fintrans\""}`, denied, 0, ""},
		{"timeout of a proxy", 408, "", unavailable, 0, ""},
		{"too many requests", 429, "", unavailable, 0, ""},
		{"error without text", 500, "", unavailable, 0, ""},
		{"timeout of the engine", 500, `{"error":"timeout"}`, unavailable, 0, ""},
		{"no backend", 503, "<html>503</html>", unavailable, 0, ""},
		{"too large", 413, `{"error":"Request Entity Too Large"}`, tooLarge, 0, ""},
		{"too large for a proxy", 413, "<html>413</html>", tooLarge, 0, ""},
		{"too old", 400, `{"error":"partial write: points beyond retention policy dropped=2"}`, partial, 2, rejectRetention},
		{"too old, as newer servers say it", 400, `{"error":"partial write: dropped 3 points outside retention policy of duration 1h0m0s dropped=3"}`, partial, 3, rejectRetention},
		{"conflict", 400, `{"error":"partial write: field type conflict: input field \"amount\" dropped=1"}`, partial, 1, rejectConflict},
		{"limit of the database", 400, `{"error":"partial write: max-values-per-tag limit exceeded dropped=4"}`, partial, 4, rejectOther},
		{"some cannot be parsed", 400, `{"error":"partial write: unable to parse 'a': missing fields\nunable to parse 'b': missing fields dropped=0"}`, partial, 2, rejectParse},
		{"a long reason", 400, `{"error":"` + long + `"}`, partial, 7, rejectOther},
		{"none can be parsed", 400, `{"error":"unable to parse 'x': missing fields"}`, refused, 0, rejectParse},
		{"conflict of all", 400, `{"error":"field type conflict: input field"}`, refused, 0, rejectConflict},
		{"the upload was cut", 400, `{"error":"unexpected EOF"}`, unexpected, 0, ""},
		{"a proxy's bad request", 400, "<html>400 Bad Request</html>", unexpected, 0, ""},
		{"redirect", 302, "", unexpected, 0, ""},
		{"not found at all", 404, "404 page not found", unexpected, 0, ""},
		{"teapot", 418, "\x00\xff", unexpected, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := classify(tt.status, []byte(tt.body))
			if got.kind != tt.want || got.dropped != tt.dropped || got.status != tt.status {
				t.Errorf("got %v, dropped %d; want %v, %d", got.kind, got.dropped, tt.want, tt.dropped)
			}
			if tt.reason != "" && got.rejection() != tt.reason {
				t.Errorf("rejected for %q, want %q", got.rejection(), tt.reason)
			}
			if text := got.String(); len(text) > 400 || strings.Contains(text, "\n") {
				t.Errorf("no line for a log: %q", text)
			}
		})
	}
}

func FuzzClassify(f *testing.F) {
	f.Add(400, []byte(`{"error":"partial write: points beyond retention policy dropped=2"}`))
	f.Add(400, []byte(`{"error":"partial write: x dropped=99999999999999999999"}`))
	f.Add(204, []byte{})
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		v := classify(status, body)
		if v.kind == accepted && status != 204 {
			t.Errorf("status %d with %q counts as stored", status, body)
		}
		if v.dropped < 0 || v.dropped > 0 && v.kind != partial {
			t.Errorf("%v with %d dropped", v.kind, v.dropped)
		}
	})
}
