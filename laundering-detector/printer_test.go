package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sirupsen/logrus"
	"go.uber.org/goleak"

	"fintrans/internal/service"
	"fintrans/internal/transaction"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func testRuntime(out io.Writer) *service.Runtime {
	log := logrus.New()
	log.SetOutput(io.Discard)
	return service.NewRuntime(name, log, out)
}

func TestAppendLine(t *testing.T) {
	t.Parallel()
	pair := transaction.PairOf(516, 482)
	tests := []struct {
		name string
		prod bool
		want string
	}{
		{"plain", true, "POTENTIAL MONEY LAUNDERING: 516 -> 482 totalling 8644 now\n"},
		{"bold red", false, "\x1b[1;31mPOTENTIAL MONEY LAUNDERING:\x1b[0m 516 -> 482 totalling 8644 now\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := string(appendLine(nil, tt.prod, pair, 8644)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// gate is a pipe that nobody reads until it is opened.
type gate struct {
	open chan struct{}
	buf  bytes.Buffer
}

func (g *gate) Write(p []byte) (int, error) {
	<-g.open
	return g.buf.Write(p)
}

func startPrinter(t *testing.T, out io.Writer) (p *printer, rt *service.Runtime, failed chan error, stop func()) {
	t.Helper()
	rt = testRuntime(out)
	p = newPrinter(rt)
	failed = make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.run(ctx, func(err error) { failed <- err })
	}()
	return p, rt, failed, func() {
		cancel()
		<-ended
	}
}

func TestPrintReturnsWhenTheLineIsOut(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p, _, _, stop := startPrinter(t, &out)
	for _, line := range []string{"one\n", "two\n"} {
		if err := p.print(context.Background(), []byte(line), func() {}); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	if got := out.String(); got != "one\ntwo\n" {
		t.Errorf("got %q", got)
	}
}

func TestPrintWaitsForAStuckReaderAndSaysSo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		out := &gate{open: make(chan struct{})}
		p, rt, _, stop := startPrinter(t, out)
		ticks, printed := 0, make(chan error)
		go func() { printed <- p.print(context.Background(), []byte("one\n"), func() { ticks++ }) }()
		time.Sleep(29 * time.Second) // the clock of the bubble
		if reasons := rt.Ready.Reasons(); len(reasons) != 0 {
			t.Errorf("not ready too early: %v", reasons)
		}
		time.Sleep(5 * time.Second)
		if reasons := rt.Ready.Reasons(); len(reasons) != 1 {
			t.Errorf("ready, although nobody reads standard output")
		}
		close(out.open)
		if err := <-printed; err != nil {
			t.Error(err)
		}
		if ticks < 34 {
			t.Errorf("%d ticks in 34 s: a waiting loop has to tick once a second", ticks)
		}
		if reasons := rt.Ready.Reasons(); len(reasons) != 0 {
			t.Errorf("still not ready: %v", reasons)
		}
		stop()
	})
}

func TestPrintWhenTheSessionEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		out := &gate{open: make(chan struct{})}
		p, _, _, stop := startPrinter(t, out)
		ctx, cancel := context.WithCancel(context.Background())
		begun, waiting := make(chan error), make(chan error)
		go func() { begun <- p.print(ctx, []byte("begun\n"), func() {}) }()
		synctest.Wait()
		go func() { waiting <- p.print(ctx, []byte("never\n"), func() {}) }()
		synctest.Wait()
		cancel()
		if err := <-waiting; !errors.Is(err, context.Canceled) {
			t.Errorf("a line that was not begun: got %v, want canceled", err)
		}
		if err := <-begun; !errors.Is(err, errUnknown) {
			t.Errorf("a line that was begun: got %v, want errUnknown", err)
		}
		close(out.open)
		stop()
		if got := out.buf.String(); got != "begun\n" {
			t.Errorf("got %q", got)
		}
	})
}

// A line that is out when its session ends must count as out: it would be
// printed again after the restart.
func TestPrintSeesALineThroughWhenTheSessionEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		out := &gate{open: make(chan struct{})}
		p, _, _, stop := startPrinter(t, out)
		ctx, cancel := context.WithCancel(context.Background())
		printed := make(chan error)
		go func() { printed <- p.print(ctx, []byte("one\n"), func() {}) }()
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(out.open)
		if err := <-printed; err != nil {
			t.Errorf("got %v, want nil: the line is out", err)
		}
		stop()
	})
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestAFailedWriteEndsTheProcess(t *testing.T) {
	t.Parallel()
	p, _, failed, stop := startPrinter(t, broken{})
	defer stop()
	if err := p.print(context.Background(), []byte("one\n"), func() {}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v, want the error of the write", err)
	}
	if err := <-failed; !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("the service was told %v", err)
	}
	if err := p.print(context.Background(), []byte("two\n"), func() {}); err == nil {
		t.Error("a line was taken after the end")
	}
	if p.failure() == nil {
		t.Error("no failure is reported")
	}
}

// The partition may go to another instance while its alert is stuck: then nobody waits for the line, and
// still the printer is alive. It is out of trouble when the line is out, whoever may have waited for it.
func TestAStuckPrinterThatNobodyWaitsForIsAlive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		out := &gate{open: make(chan struct{})}
		p, rt, _, stop := startPrinter(t, out)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := p.print(ctx, []byte("one\n"), func() {}); !errors.Is(err, errUnknown) {
			t.Errorf("got %v, want errUnknown", err)
		}
		time.Sleep(2 * service.StallLimit) // the clock of the bubble
		if stalled := rt.Health.Stalled(); len(stalled) > 0 {
			t.Errorf("not healthy: %v", stalled)
		}
		if reasons := rt.Ready.Reasons(); len(reasons) != 1 {
			t.Errorf("got %v, want that standard output takes no alert", reasons)
		}
		close(out.open)
		synctest.Wait()
		if reasons := rt.Ready.Reasons(); len(reasons) != 0 {
			t.Errorf("still not ready: %v", reasons)
		}
		stop()
	})
}
