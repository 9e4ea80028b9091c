package main

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"fintrans/demo/ledger"
	"fintrans/demo/oracle"
	"fintrans/demo/score"
	"fintrans/internal/service"
)

func TestAcknowledgedOverLives(t *testing.T) {
	t.Parallel()
	page := "generator_transactions_total{city=\"SF\"} 2\ngenerator_transactions_total{city=\"NYC\"} 3\nother_total 7\n"
	var a acknowledged
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("# TYPE generator_transactions_total counter\n" + page))
		if page == "" {
			a.begin(3) // while the answer of the life before is under way
		}
	}))
	defer server.Close()
	a.begin(1)
	a.look(t.Context(), server.URL)
	a.saw(1, 4) // an older count
	if got := a.total(); got != 5 {
		t.Errorf("in the first life: %d, want 5", got)
	}
	a.begin(2)
	a.saw(1, 100) // it is over
	a.saw(2, 10)
	if got := a.total(); got != 15 {
		t.Errorf("over two lives: %d, want 15", got)
	}
	page = ""
	a.look(t.Context(), server.URL)
	a.look(t.Context(), "http://127.0.0.1:1")
	if got := a.total(); got != 15 {
		t.Errorf("over three lives: %d, want 15", got)
	}
}

func TestEndpointsAreKept(t *testing.T) {
	t.Parallel()
	e := newEndpoints()
	if got := e.want(ingest); got != anyPort || e.url(ingest) != "" {
		t.Errorf("at first: %s, want any port and no URL", got)
	}
	if !e.found(ingest, "127.0.0.1:7") {
		t.Error("the first address is no news")
	}
	e.ended(ingest)
	if got := e.want(ingest); got != "127.0.0.1:7" || e.url(ingest) != "http://127.0.0.1:7" {
		t.Errorf("after a life that listened: %s, want the same", got)
	}
	if e.found(ingest, "127.0.0.1:7") {
		t.Error("the same address is news")
	}
	e.ended(ingest)
	e.ended(ingest) // a life that did not listen
	if got := e.want(ingest); got != anyPort {
		t.Errorf("after a life that could not listen: %s, want any port", got)
	}
}

func TestParseLog(t *testing.T) {
	t.Parallel()
	line, ok := parseLog(`{"level":"warning","msg":"skipped","time":"now","topic":"SF","offset":9007199254740993}`)
	if got, want := line.String(), "skipped offset=9007199254740993 topic=SF"; !ok || got != want || !line.severe() {
		t.Errorf("got %q, want %q, which is severe", got, want)
	}
	if got := line.number("offset"); got != 9007199254740993 {
		t.Errorf("offset %d, want all its digits", got)
	}
	if line.number("topic") != 0 || line.text("offset") != "" {
		t.Error("a text is a number, or a number a text")
	}
	if line, ok := parseLog(`{"level":"info","msg":"x"}`); !ok || line.severe() {
		t.Errorf("%v is severe", line)
	}
	if _, ok := parseLog("panic: oh"); ok {
		t.Error("a panic is JSON")
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for window, want := range map[time.Duration]time.Duration{0: ringSpread, time.Hour: ringSpread, 10 * time.Second: 5 * time.Second} {
		if got := (config{AlertWindow: service.Duration(window)}).spread(); got != want {
			t.Errorf("window %v: rings are spread over %v, want %v", window, got, want)
		}
	}
	if got, want := (config{Rate: 20}).wait(), 50*time.Millisecond; got != want {
		t.Errorf("wait %v, want %v", got, want)
	}
	if got := (config{GenSeed: 7}).seed(); got != 7 {
		t.Errorf("seed %d, want 7", got)
	}
	if (config{}).seed() == 0 {
		t.Error("a random seed is 0")
	}
}

// sum is the summary of two records of which so many are in InfluxDB.
func sum(points int, acknowledged int64) summary {
	end := ledger.Position{"SF": {0: 2}}
	s := summary{ran: time.Minute, acknowledged: acknowledged, account: ledger.NewAccount(nil, end, 0)}
	for offset := range int64(2) {
		s.account.Expect(ledger.Record{City: "SF", Offset: offset, Transfer: oracle.Transfer{Amount: 1000, At: 1}})
		if offset < int64(points) {
			s.account.Find(ledger.Point{City: "SF", Nanos: 1_000_000 + offset, Amount: 1000})
		}
	}
	return s
}

func TestComplaints(t *testing.T) {
	t.Parallel()
	missed := sum(2, 2)
	missed.score = score.Score{Planted: 1, Missed: []score.Ring{{Found: 3}}}
	for _, test := range []struct {
		name string
		of   summary
		want string
	}{
		{"all is well", sum(2, 2), ""},
		{"an acknowledgement was lost", sum(2, 1), ""},
		{"a point is missing", sum(1, 2), "SF: 2 transactions of $2000 were appended, InfluxDB has 1 points of $1000"},
		{"more acknowledged than appended", sum(2, 3), "the generator counts 3 transactions as acknowledged, but only 2 are in the topics"},
		{"a ring was missed", missed, "a ring was missed: 3 transfers"},
	} {
		complaints := strings.Join(test.of.complaints(), "\n")
		if test.want == "" && complaints != "" || !strings.Contains(complaints, test.want) {
			t.Errorf("%s: complaints %q, want %q", test.name, complaints, test.want)
		}
	}
}

func TestSummaryInWords(t *testing.T) {
	t.Parallel()
	s := sum(2, 1)
	s.bad = 3
	for _, line := range []string{
		"summary of 1m0s", "SF             2       2,000                   2       2,000", "all            2       2,000                   2       2,000",
		"further records, which are no transactions: 3", "acknowledged by the generator: 1; 1 stored, acknowledgement lost", "rings planted: 0, detected: 0; recall -",
	} {
		if !slices.Contains(s.lines(), line) {
			t.Errorf("no line %q in %q", line, s.lines())
		}
	}
	s.own = true
	if !slices.Contains(s.lines(), "acknowledged by the generator: 1; 1 stored by others, or acknowledgement lost") {
		t.Errorf("nothing of others in %q", s.lines())
	}
}

func TestPastHour(t *testing.T) {
	t.Parallel()
	got := pastHour(map[string]ledger.Average{
		"SF": {Volume: ledger.Volume{Count: 3, Sum: 4000}, Mean: 1333.3333}, "NYC": {Volume: ledger.Volume{Count: 1, Sum: 1}, Mean: 1},
	}, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	want := []string{
		"the past hour in dollars, from InfluxDB at 03:04:05",
		"city    transactions  average  total", "London             0     0.00      0", "NYC                1     1.00      1",
		"SF                 3  1333.33  4,000", "Moscow             0     0.00      0", "Tokyo              0     0.00      0",
		"all                4  1000.25  4,001",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	if got, want := plain("\x1b[1;31mPOTENTIAL MONEY LAUNDERING:\x1b[0m 1 -> 2 totalling 3 now"), "POTENTIAL MONEY LAUNDERING: 1 -> 2 totalling 3 now"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
