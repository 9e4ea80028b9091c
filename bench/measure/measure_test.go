package measure

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// The test binary is the program that is measured when this variable says what it is to do.
const role = "BENCH_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "":
		os.Exit(m.Run())
	case "work":
		work()
	case "fail":
		_, _ = fmt.Fprintln(os.Stderr, "it cannot be done")
		os.Exit(3)
	case "stay":
		_, _ = fmt.Fprintln(os.Stderr, `time=now level=info msg=listening listen="127.0.0.1:7777" more=x`)
		select {}
	}
}

const workMemory = 64 << 20

// work uses memory and processor time, and ends.
func work() {
	memory := make([]byte, workMemory)
	for start := time.Now(); time.Since(start) < 200*time.Millisecond; {
		for i := 0; i < len(memory); i += 4096 {
			memory[i]++
		}
	}
	_, _ = fmt.Fprintln(os.Stdout, "done")
}

func start(t *testing.T, does string, line func(string)) *Process {
	t.Helper()
	p, err := Start(Program{Name: does, Path: os.Args[0], Env: []string{role + "=" + does}, Line: line})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p
}

func patience(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func TestProcessorTimeAndMemory(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var lines []string
	p := start(t, "work", func(line string) {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, line)
	})
	if err := p.Wait(patience(t)); err != nil {
		t.Fatal(err)
	}
	cpu, err := p.CPU()
	if err != nil || cpu < 50*time.Millisecond || cpu > 30*time.Second {
		t.Errorf("processor time %v, error %v, want about 200 ms", cpu, err)
	}
	if peak, err := p.Peak(); err != nil || peak < workMemory || peak > 8*workMemory {
		t.Errorf("peak of the memory %d, error %v, want a little above %d", peak, err, workMemory)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(lines) == 0 || lines[0] != "done" {
		t.Errorf("lines %q, want done", lines)
	}
}

func TestARunningProcess(t *testing.T) {
	t.Parallel()
	p := start(t, "stay", nil)
	url, err := p.URL(patience(t))
	if err != nil || url != "http://127.0.0.1:7777" {
		t.Errorf("URL %q, error %v", url, err)
	}
	if cpu, err := p.CPU(); err != nil || cpu <= 0 {
		t.Errorf("processor time %v, error %v", cpu, err)
	}
	if bytes, err := p.Resident(); err != nil || bytes <= 0 {
		t.Errorf("resident %d, error %v", bytes, err)
	}
	p.Stop(time.Minute)
	if ended := p.EndedAt(); ended.IsZero() {
		t.Error("it has not ended")
	}
}

func TestAFailureShowsTheLog(t *testing.T) {
	t.Parallel()
	err := start(t, "fail", nil).Wait(patience(t))
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "it cannot be done") {
		t.Errorf("error %v, want the status and the end of the log", err)
	}
}

func TestRunMeasuresFromTheFirstRecordToTheLast(t *testing.T) {
	t.Parallel()
	p := start(t, "stay", nil)
	var asked atomic.Int64
	began := time.Now()
	figures, err := Run(patience(t), []*Process{p}, 100, func(context.Context) (int64, error) {
		return min(100, max(0, asked.Add(1)-5)*20), nil // nothing five times, then 20 more each time
	})
	if err != nil {
		t.Fatal(err)
	}
	if figures.Records != 100 || figures.Elapsed <= 0 || figures.Elapsed > time.Since(began) || figures.Peak <= 0 {
		t.Errorf("figures %+v", figures)
	}
	if got := asked.Load(); got != 10 {
		t.Errorf("asked %d times, want until there were 100", got)
	}
}

func TestRunTakesAGoodEndForTheLastRecord(t *testing.T) {
	t.Parallel()
	p := start(t, "work", nil)
	done := int64(-1)
	figures, err := Run(patience(t), []*Process{p}, 1000, func(context.Context) (int64, error) {
		select {
		case <-p.Exited():
			return 0, errors.New("nobody answers")
		default:
			done++
			return min(done, 999), nil
		}
	})
	if err != nil || figures.Records != 1000 || figures.CPU <= 0 {
		t.Errorf("figures %+v, error %v", figures, err)
	}
}

func TestRunFailsWhenTheProgramDoes(t *testing.T) {
	t.Parallel()
	p := start(t, "fail", nil)
	_, err := Run(patience(t), []*Process{p}, 10, func(context.Context) (int64, error) { return 0, nil })
	if err == nil || !strings.Contains(err.Error(), "it cannot be done") {
		t.Errorf("error %v, want one with the log", err)
	}
}

func TestFigures(t *testing.T) {
	t.Parallel()
	f := Figures{Records: 3_000_000, Elapsed: 2 * time.Second, CPU: 6 * time.Second}
	if got := f.PerSecond(); got != 1_500_000 {
		t.Errorf("%v per second", got)
	}
	if got := f.PerMillion(); got != 2 {
		t.Errorf("%v CPU-seconds per million", got)
	}
	if none := (Figures{}); none.PerSecond() != 0 || none.PerMillion() != 0 {
		t.Error("nothing in no time is no rate")
	}
}

func TestSum(t *testing.T) {
	t.Parallel()
	text := "# TYPE a_total counter\na_total{city=\"a b\"} 1\na_total{city=\"c\"} 2e3\na_total_more 7\na 5\n"
	for name, want := range map[string]float64{"a_total": 2001, "a": 5, "b": 0} {
		if got, err := sum(text, name); err != nil || got != want {
			t.Errorf("%s = %v, error %v, want %v", name, got, err, want)
		}
	}
	if _, err := sum("a x\n", "a"); err == nil {
		t.Error("no error of a sample without a number")
	}
}

func TestAwaitIdle(t *testing.T) {
	t.Parallel()
	const patience = 10 * time.Second
	for _, test := range []struct {
		name  string
		busy  time.Duration // for how long one of two processors is
		takes time.Duration
		idle  bool
	}{{"idle", 0, time.Second, true}, {"busy at first", 3500 * time.Millisecond, 5 * time.Second, true}, {"busy", time.Hour, 11 * time.Second, false}} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			idle, err := awaitIdle(t.Context(), patience, func() (time.Duration, int, error) {
				since := time.Since(start)
				return 2*since - min(since, test.busy), 2, nil
			})
			if took := time.Since(start); idle != test.idle || err != nil || took != test.takes {
				t.Errorf("%s: got %v, %v after %v, want %v after %v", test.name, idle, err, took, test.idle, test.takes)
			}
		})
	}
}

func TestAwaitIdleOnThisMachine(t *testing.T) {
	t.Parallel()
	if _, err := AwaitIdle(t.Context(), 0); err != nil { // nobody knows whether it is
		t.Error(err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if idle, err := AwaitIdle(ended, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, %v, want that the context has ended", idle, err)
	}
	before, processors, err := idleTime()
	if err != nil || before <= 0 || processors < 1 {
		t.Errorf("%d processors have been idle for %v, error %v", processors, before, err)
	}
}
