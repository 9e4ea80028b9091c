package cases

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"fintrans/bench/measure"
	"fintrans/bench/report"
	"fintrans/bench/scene"
)

func TestRoundsAlternate(t *testing.T) {
	t.Parallel()
	var order []string
	who := func(name string, perSecond int64) contestant {
		return contestant{name, func(context.Context) (measure.Figures, error) {
			order = append(order, name)
			return measure.Figures{Records: perSecond * int64(len(order)), Elapsed: time.Second, CPU: time.Second, Peak: perSecond}, nil
		}}
	}
	settled := 0
	s := &scene.Scene{Rounds: 3, Progress: io.Discard, Idle: func(context.Context, time.Duration) (bool, error) {
		if settled != len(order) {
			t.Errorf("after %d runs the machine was awaited to be idle %d times", len(order), settled)
		}
		settled++
		return settled%2 == 0, nil // a busy one holds up nothing for ever
	}}
	c, err := compare(t.Context(), s, who("ours", 10), who("peer", 5))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(order, " "), "ours peer peer ours ours peer"; got != want {
		t.Errorf("order %s, want %s", got, want)
	}
	if settled != len(order) {
		t.Errorf("the machine was awaited to be idle %d times, want %d", settled, len(order))
	}
	// ours 10x1 10x4 10x5, the peer's 5x2 5x3 5x6
	if got, want := c.ratios(1, speed), []float64{1, 40.0 / 15, 50.0 / 30}; !slices.Equal(got, want) {
		t.Errorf("ratios %v, want %v: those of the same round", got, want)
	}
	if got := c.ratio(1, memory); got != 2 {
		t.Errorf("ratio of the memory %v, want 2", got)
	}
	tables := c.tables()
	if len(tables) != 2 || tables[1].Rows[0][0] != "ours / peer" || tables[1].Rows[0][1] != "1.67 (1.00, 2.67, 1.67)" {
		t.Errorf("tables %v", tables)
	}
}

func TestTurns(t *testing.T) {
	t.Parallel()
	var order []string
	for round, contestant := range turns(0, 2, 3) {
		if order = append(order, fmt.Sprint(round, contestant)); round == 2 && contestant == 1 {
			break
		}
	}
	if got, want := strings.Join(order, ", "), "0 2, 0 1, 0 0, 1 0, 1 1, 1 2, 2 2, 2 1"; got != want {
		t.Errorf("turns %s, want %s", got, want)
	}
}

func TestAFailedRoundIsNoFigure(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	_, err := compare(t.Context(), &scene.Scene{Rounds: 1, Progress: io.Discard},
		contestant{"ours", func(context.Context) (measure.Figures, error) { return measure.Figures{}, broken }})
	if !errors.Is(err, broken) {
		t.Errorf("error %v, want that of the round", err)
	}
}

func TestTargets(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		got     report.Target
		reached bool
	}{
		{atLeast("", "", 0.85, 0.85), true},
		{atLeast("", "", 0.85, 0.849), false},
		{atMost("", "", 0.125, 0.125, report.Ratio), true},
		{atMost("", "", 0.125, 0.126, report.Ratio), false},
		{atMost("", "", 0.125, 0, report.Ratio), false}, // nothing was measured
	} {
		if test.got.Reached != test.reached {
			t.Errorf("%+v, want reached %v", test.got, test.reached)
		}
	}
}

func TestNumbersOfLines(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]int64{
		"POTENTIAL MONEY LAUNDERING: 1048577 -> 1 totalling 10001 now": 1_048_577, "1048578 1 10001": 1_048_578,
	} {
		if got, ok := firstNumber(line); !ok || got != want {
			t.Errorf("%q: number %d, %v, want %d", line, got, ok, want)
		}
	}
	if _, ok := firstNumber("nothing at all"); ok {
		t.Error("there is no number in it")
	}
	for line, want := range map[string]int64{
		"transactions,city=London,partition=3 amount=1i,source=396i,target=465i 15": 396,
		"transactions,city=London source=397i,target=1i,amount=1i 15":               397,
	} {
		if got, ok := sourceOf([]byte(line)); !ok || got != want {
			t.Errorf("%q: source %d, %v, want %d", line, got, ok, want)
		}
	}
	if _, ok := sourceOf([]byte("pipeline lag=1i 15")); ok {
		t.Error("there is no source in it")
	}
}

// The gate passes on what InfluxDB says, and counts a point once, when it is accepted.
func TestGate(t *testing.T) {
	t.Parallel()
	status := http.StatusInternalServerError
	influx := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	defer influx.Close()
	g, err := openGate(t.Context(), influx.URL)
	if err != nil {
		t.Fatal(err)
	}
	g.begin()
	for n := range int64(2) {
		g.next(n)
	}
	post := func(body string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.url+"/write?db=x", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if answer.StatusCode != status {
			t.Errorf("status %d, want InfluxDB's %d", answer.StatusCode, status)
		}
	}
	const first, second = "transactions source=1048576i 1\n", "transactions source=1048577i 2\n"
	post(first)
	if got := g.stored.Load(); got != 0 {
		t.Errorf("%d points are stored although InfluxDB refused", got)
	}
	status = http.StatusNoContent
	post(first)
	post(first)
	if got := g.stored.Load(); got != 1 {
		t.Errorf("%d points are stored, want one", got)
	}
	if _, missing := g.so(0, 2); missing != 1 {
		t.Errorf("%d are missing, want one", missing)
	}
	post(second)
	if w, missing := g.so(0, 2); missing != 0 || len(w.sent) != 2 || w.sent[0] <= 0 {
		t.Errorf("%+v, %d missing, want both", w, missing)
	}
	g.begin() // the next run's first is numbered on
	if next, _ := g.next(0); next.Source != firstProbe+2 {
		t.Errorf("the next run begins at %d", next.Source)
	}
}

func TestTheLoadSetsOffNoAlert(t *testing.T) {
	t.Parallel()
	sums := map[[2]uint32]uint32{}
	for n := range int64(2_000_000) {
		tx := small(n)
		if tx.Source == tx.Target {
			t.Fatalf("transaction %d is from %d to itself", n, tx.Source)
		}
		sums[[2]uint32{tx.Source, tx.Target}] += tx.Amount
	}
	for pair, sum := range sums {
		if sum > 100 {
			t.Fatalf("%v adds up to %d", pair, sum)
		}
	}
}

// The latency of the peer is a ceiling only while it fetches as the services do.
func TestThePeerFetchesAsMuchAsTheServices(t *testing.T) {
	t.Parallel()
	const source = "../../internal/kafka/feed.go"
	text, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "\nconst fetchBytes = 64 << 10\n") || sameFetch != fmt.Sprint("FETCH_BYTES=", 64<<10) {
		t.Errorf("%s has another fetchBytes than %s says", source, sameFetch)
	}
}
