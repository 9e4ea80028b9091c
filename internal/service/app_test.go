package service

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// logBuffer is a stderr that can be read while it is written.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// lines are the log lines so far, which are JSON.
func (b *logBuffer) lines(t *testing.T) []map[string]any {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	var lines []map[string]any
	for line := range strings.Lines(b.buf.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("%q is not a line of JSON: %v", line, err)
		}
		lines = append(lines, fields)
	}
	return lines
}

// find returns the log line with that message, or nil.
func (b *logBuffer) find(t *testing.T, message string) map[string]any {
	t.Helper()
	for _, line := range b.lines(t) {
		if line["msg"] == message {
			return line
		}
	}
	return nil
}

type onlyCommon struct{ Common }

// running is an app that runs in the test.
type running struct {
	signals chan os.Signal
	status  chan int
	log     *logBuffer
}

func start(serve func(context.Context, *Runtime) error, args ...string) running {
	r := running{make(chan os.Signal), make(chan int, 1), &logBuffer{}}
	app := App[onlyCommon]{
		Name:    "sample",
		Serve:   func(ctx context.Context, _ onlyCommon, rt *Runtime) error { return serve(ctx, rt) },
		Signals: r.signals,
	}
	go func() {
		r.status <- Run(app, append([]string{"--log-format=json"}, args...), environ(), io.Discard, r.log)
	}()
	return r
}

func (r running) wantStatus(t *testing.T, want int) {
	t.Helper()
	if got := <-r.status; got != want {
		t.Errorf("status %d, want %d; log %v", got, want, r.log.lines(t))
	}
}

func get(t *testing.T, address, path string) (status int, body string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get("http://" + address + path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(content)
}

func TestDrainAfterSignal(t *testing.T) {
	t.Parallel()
	draining, drained := make(chan struct{}), make(chan struct{})
	r := start(func(ctx context.Context, rt *Runtime) error {
		rt.Ready.Set("broker", "")
		<-ctx.Done()
		close(draining)
		<-drained
		return nil
	})
	r.signals <- syscall.SIGTERM
	<-draining
	address := r.log.find(t, "listening")["listen"].(string)
	if status, body := get(t, address, "/health"); status != 200 || body != "ok\n" {
		t.Errorf("during the drain /health is %d %q, want 200", status, body)
	}
	if status, body := get(t, address, "/ready"); status != 503 || body != "shutdown: stopping\n" {
		t.Errorf("during the drain /ready is %d %q, want 503", status, body)
	}
	close(drained)
	r.wantStatus(t, ExitOK)
	if got := r.log.find(t, "stopping")["signal"]; got != "terminated" {
		t.Errorf("signal %v in the log, want terminated", got)
	}
	if conn, err := net.Dial("tcp", address); err == nil {
		_ = conn.Close()
		t.Error("the HTTP server still listens")
	}
}

func TestServeReturns(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		err  error
		want int
	}{
		{"finished", nil, ExitOK},
		{"failed", errors.New("write alert to stdout:\nbroken pipe"), ExitError},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := start(func(context.Context, *Runtime) error { return tt.err })
			r.wantStatus(t, tt.want)
			stopped := r.log.find(t, "stopped")
			if tt.err != nil && (stopped["error"] != tt.err.Error() || stopped["level"] != "error") {
				t.Errorf("log line %v, want the error %q", stopped, tt.err)
			}
		})
	}
}

func TestFailedDrain(t *testing.T) {
	t.Parallel()
	r := start(func(ctx context.Context, _ *Runtime) error {
		<-ctx.Done()
		return errors.New("commit: London/0 from 17 on will be read again")
	})
	r.signals <- syscall.SIGINT
	r.wantStatus(t, ExitError)
	if got, want := r.log.find(t, "stopped")["error"], "commit: London/0 from 17 on will be read again"; got != want {
		t.Errorf("error %q in the log, want %q", got, want)
	}
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	defer close(release)
	r := start(func(context.Context, *Runtime) error {
		<-release
		return nil
	})
	r.signals <- syscall.SIGTERM
	r.signals <- syscall.SIGINT
	r.wantStatus(t, ExitError)
	stopped, _ := r.log.find(t, "stopped")["error"].(string)
	if want := "not drained: second signal (interrupt): "; !strings.HasPrefix(stopped, want) {
		t.Errorf("error %q in the log, want %q", stopped, want)
	}
}

// quietProcess is a process without HTTP.
func quietProcess(signals <-chan os.Signal, serve func(context.Context) error) process {
	log := newLogger(Common{LogLevel: "info"}, io.Discard)
	return process{signals: signals, serve: serve, rt: NewRuntime("sample", log, io.Discard)}
}

func TestDrainLimit(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		drain time.Duration
		after time.Duration
		want  string
	}{
		{"in time", DrainBudget, DrainBudget, "<nil>"},
		{"too late", time.Hour, DrainLimit, "not drained within 10s: " + errAbandoned.Error()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				signals := make(chan os.Signal, 1)
				signals <- syscall.SIGTERM
				p := quietProcess(signals, func(ctx context.Context) error {
					<-ctx.Done()
					time.Sleep(tt.drain)
					return nil
				})
				begin := time.Now()
				err := p.supervise(nil)
				if got := time.Since(begin); got != tt.after || fmt.Sprint(err) != tt.want {
					t.Errorf("after %s: %v, want after %s: %s", got, err, tt.after, tt.want)
				}
				time.Sleep(tt.drain) // in the bubble's time: lets the work end that was given up
			})
		})
	}
}

func TestFailedHTTPServer(t *testing.T) {
	t.Parallel()
	failed := make(chan error, 1)
	failed <- errors.New("accept: broken")
	p := quietProcess(nil, func(ctx context.Context) error {
		<-ctx.Done()
		return nil
	})
	if err := p.supervise(failed); fmt.Sprint(err) != "serve HTTP: accept: broken" {
		t.Errorf("got %v", err)
	}
}

func TestAddressInUse(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	r := start(func(context.Context, *Runtime) error {
		t.Error("served without an address")
		return nil
	}, "--listen="+listener.Addr().String())
	r.wantStatus(t, ExitError)
	want := "listen for HTTP: listen tcp " + listener.Addr().String() + ": bind: address already in use"
	if got := r.log.find(t, "stopped")["error"]; got != want {
		t.Errorf("error %q in the log, want %q", got, want)
	}
}

func TestStartIsLogged(t *testing.T) {
	t.Parallel()
	got, status, _, stderr := runSample([]string{"--log-format=json", "--accounts=7"}, environ("INFLUX_PASSWORD="+password))
	if status != ExitOK || got.Password.Reveal() != password {
		t.Fatalf("status %d: %s", status, stderr)
	}
	log := &logBuffer{}
	log.buf.WriteString(stderr)
	line := log.find(t, "starting")
	for name, want := range map[string]any{
		"version": CurrentBuild().Version, "commit": CurrentBuild().Commit, "ACCOUNTS": "7", "ALERT_WINDOW": "1h",
		"BROKER": "127.0.0.1:9092", "INFLUX_PASSWORD": secretMask,
	} {
		if line[name] != want {
			t.Errorf("%s is %v, want %v", name, line[name], want)
		}
	}
	if strings.Contains(stderr, password) {
		t.Errorf("the secret is logged: %s", stderr)
	}
}

func TestTextLogHasNoColours(t *testing.T) {
	t.Parallel()
	_, _, _, stderr := runSample(nil, environ("LOG_LEVEL=warning"))
	if stderr != "" {
		t.Errorf("level warning logs %q", stderr)
	}
	_, _, _, stderr = runSample(nil, environ())
	first, _, _ := strings.Cut(stderr, "\n")
	if !strings.HasPrefix(first, `time="`) || !strings.Contains(first, " level=info msg=starting ") || strings.Contains(stderr, "\x1b") {
		t.Errorf("first log line is %q", first)
	}
}

// failingWriter is a stdout that nobody reads any more.
type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, syscall.EPIPE }

func TestHelpToBrokenStdout(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	status := Run(App[onlyCommon]{Name: "sample"}, []string{"--help"}, environ(), failingWriter{}, &stderr)
	if want := "sample: write to stdout: broken pipe\n"; status != ExitError || stderr.String() != want {
		t.Errorf("status %d, stderr %q, want 1, %q", status, stderr.String(), want)
	}
}
