package sandbox

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"fintrans/demo/harness"
)

func start(t *testing.T, spec Spec) *Task {
	t.Helper()
	if spec.Dir == "" {
		spec.Dir = filepath.Join(t.TempDir(), "sandbox")
	}
	spec.Env = append(spec.Env, "PATH="+os.Getenv("PATH"))
	task := Start(spec)
	t.Cleanup(func() {
		task.Kill()
		task.Crash()
		<-task.Done()
	})
	return task
}

func read(t *testing.T, task *Task, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(task.spec.Dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func await(t *testing.T, task *Task, name, want string) {
	t.Helper()
	harness.Eventually(t, func() (bool, string) {
		text, _ := os.ReadFile(filepath.Join(task.spec.Dir, name)) // not there yet is not enough
		return strings.Contains(string(text), want), name + " is " + string(text)
	})
}

func ends(t *testing.T, task *Task, state, message string) {
	t.Helper()
	select {
	case <-task.Done():
	case <-time.After(harness.Patience):
		t.Fatal("the task does not end")
	}
	if got, why := task.State(); got != state || !strings.Contains(why, message) {
		t.Errorf("got %s, %q, want %s, %q", got, why, state, message)
	}
}

func TestFetchesAndRuns(t *testing.T) {
	t.Parallel()
	files := httptest.NewServer(http.StripPrefix("/d", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/moved" {
			http.Redirect(w, r, "/d/tool", http.StatusFound)
			return
		}
		_, _ = w.Write([]byte("#!/bin/sh\necho $GREETING; echo log >&2; pwd; exit 3\n"))
	})))
	t.Cleanup(files.Close)
	task := start(t, Spec{
		Command: "exec ./moved", Env: []string{"GREETING=hello"},
		Fetch: []Fetch{{URI: files.URL + "/d/moved", Executable: true}},
	})
	ends(t, task, Failed, "status 3")
	if got := read(t, task, "stdout"); got != "hello\n"+task.spec.Dir+"\n" {
		t.Errorf("stdout is %q", got)
	}
	if got := read(t, task, "stderr"); got != "log\n" {
		t.Errorf("stderr is %q", got)
	}
}

// TestFetchedProgramCanBeRun has the process start others meanwhile: between fork and exec each of them has what this
// process has open, and what somebody has open for writing cannot be run.
func TestFetchedProgramCanBeRun(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var starters sync.WaitGroup
	for range 4 {
		starters.Go(func() {
			for ctx.Err() == nil {
				_ = exec.CommandContext(ctx, "true").Run() // one that the end of the test kills has served as well
			}
		})
	}
	defer starters.Wait()
	defer cancel()
	files := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("#!/bin/sh\nexit 3\n"))
	}))
	t.Cleanup(files.Close)
	for range 100 {
		ends(t, start(t, Spec{Command: "exec ./tool", Fetch: []Fetch{{URI: files.URL + "/tool", Executable: true}}}), Failed, "status 3")
	}
}

func TestFailedFetchFailsTheTask(t *testing.T) {
	t.Parallel()
	files := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(files.Close)
	ends(t, start(t, Spec{Command: "true", Fetch: []Fetch{{URI: files.URL + "/x"}}}), Failed, "Failed to fetch all URIs")
}

func TestKillSendsSIGTERMToAllProcesses(t *testing.T) {
	t.Parallel()
	task := start(t, Spec{Grace: time.Minute, Command: `trap 'wait $!; echo parent; exit 0' TERM; sh -c 'trap "echo child; exit 0" TERM; echo up; while :; do sleep 0.1; done' & wait`})
	await(t, task, "stdout", "up")
	task.Kill()
	ends(t, task, Killed, "")
	await(t, task, "stdout", "child")
	await(t, task, "stdout", "parent")
}

func TestGraceEndsWithSIGKILL(t *testing.T) {
	t.Parallel()
	task := start(t, Spec{Grace: 200 * time.Millisecond, Command: `trap '' TERM; echo up; while :; do sleep 0.1; done`})
	await(t, task, "stdout", "up")
	task.Kill()
	ends(t, task, Killed, "killed")
}

func TestCrashDuringAFetchEndsTheTask(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{})
	files := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	}))
	t.Cleanup(files.Close)
	task := start(t, Spec{Command: "true", Fetch: []Fetch{{URI: files.URL + "/x"}}})
	<-asked
	task.Crash()
	ends(t, task, Killed, "")
}

func TestMemoryLimit(t *testing.T) {
	t.Parallel()
	// A shell that holds ever more.
	task := start(t, Spec{Memory: 32 << 20, Command: `x=0123456789abcdef; while :; do x="$x$x"; done`})
	ends(t, task, Failed, "Memory limit exceeded")
}
