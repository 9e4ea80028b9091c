package harness

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// Try runs a case that may fail, and returns what it failed with; nothing if it passed. It shows
// whether a case notices a fault that was put into a service.
func Try(t testing.TB, run func(testing.TB)) []string {
	t.Helper()
	trial := &trial{TB: t}
	done := make(chan struct{})
	go func() { // of its own, which Fatal ends
		defer close(done)
		defer trial.end()
		run(trial)
	}()
	<-done
	return trial.failures
}

// trial is a testing.TB that keeps failures to itself.
type trial struct {
	testing.TB // of the test that tries; for what is not below

	mu       sync.Mutex
	failures []string
	cleanups []func()
}

func (t *trial) fail(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failures = append(t.failures, strings.TrimSpace(text))
}

func (t *trial) Error(args ...any)                 { t.fail(fmt.Sprintln(args...)) }
func (t *trial) Errorf(format string, args ...any) { t.fail(fmt.Sprintf(format, args...)) }
func (t *trial) Fatal(args ...any)                 { t.fail(fmt.Sprintln(args...)); runtime.Goexit() }
func (t *trial) Fatalf(format string, args ...any) {
	t.fail(fmt.Sprintf(format, args...))
	runtime.Goexit()
}
func (t *trial) Fail()                    { t.fail("failed") }
func (t *trial) FailNow()                 { t.fail("failed"); runtime.Goexit() }
func (t *trial) Log(...any)               {} // a failure is what was hoped for
func (t *trial) Logf(string, ...any)      {}
func (t *trial) Helper()                  {}
func (t *trial) Context() context.Context { return t.TB.Context() }

func (t *trial) Failed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.failures) > 0
}

func (t *trial) Cleanup(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cleanups = append(t.cleanups, f)
}

// end runs the cleanups, the last first, as the testing package does.
func (t *trial) end() {
	for {
		t.mu.Lock()
		n := len(t.cleanups)
		if n == 0 {
			t.mu.Unlock()
			return
		}
		cleanup := t.cleanups[n-1]
		t.cleanups = t.cleanups[:n-1]
		t.mu.Unlock()
		cleanup()
	}
}
