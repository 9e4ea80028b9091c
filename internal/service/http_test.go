package service

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func newTestRuntime() *Runtime {
	return NewRuntime("influx-ingest", newLogger(Common{LogLevel: "info"}, io.Discard), io.Discard)
}

func request(rt *Runtime, method, path string) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	newServer(rt).Handler.ServeHTTP(recorder, httptest.NewRequest(method, path, nil))
	return recorder
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	rt := newTestRuntime()
	rt.Ready.Set("broker", "")
	tests := []struct {
		method, path string
		status       int
	}{
		{"GET", "/", 200}, {"GET", "/health", 200}, {"GET", "/ready", 200}, {"GET", "/metrics", 200},
		{"HEAD", "/", 200}, {"HEAD", "/health", 200}, {"HEAD", "/ready", 200}, {"HEAD", "/metrics", 200},
		{"POST", "/health", 405}, {"DELETE", "/metrics", 405}, {"PUT", "/", 405}, {"OPTIONS", "/ready", 405},
		{"GET", "/healthz", 404}, {"GET", "/health/", 404}, {"GET", "/debug/pprof/", 404}, {"POST", "/nope", 404},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			t.Parallel()
			if got := request(rt, tt.method, tt.path); got.Code != tt.status {
				t.Errorf("status %d, want %d", got.Code, tt.status)
			}
		})
	}
}

func TestHealthAndReady(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rt := newTestRuntime()
		rt.Health.Loop("consume")
		want := func(path string, status int, body string) {
			t.Helper()
			if got := request(rt, "GET", path); got.Code != status || got.Body.String() != body {
				t.Errorf("%s: %d %q, want %d %q", path, got.Code, got.Body, status, body)
			}
		}
		want("/health", 200, "ok\n")
		want("/ready", 503, "start: not all is set up yet\n")
		rt.Ready.Set("broker", "none was reached yet")
		rt.Ready.Set("sink", "status 503")
		want("/ready", 503, "broker: none was reached yet\nsink: status 503\n")
		rt.Ready.Set("broker", "")
		rt.Ready.Set("sink", "")
		want("/ready", 200, "ready\n")
		time.Sleep(StallLimit + time.Second)
		want("/health", 503, "consume: no tick for 1m1s\n")
	})
}

// broken is a collector that fails.
type broken struct{}

func (broken) Describe(ch chan<- *prometheus.Desc) {
	ch <- prometheus.NewDesc("broken", "Always fails.", nil, nil)
}

func (broken) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.NewInvalidMetric(prometheus.NewDesc("broken", "Always fails.", nil, nil), errors.New("broken"))
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	rt := newTestRuntime()
	rt.Metrics.MustRegister(broken{}) // does not hide the others
	got := request(rt, "GET", "/metrics")
	build := CurrentBuild()
	for _, want := range []string{
		fmt.Sprintf("influx_ingest_build_info{commit=%q,goversion=%q,version=%q} 1\n", build.Commit, build.Go, build.Version),
		"\ngo_goroutines ", "\nprocess_open_fds ",
	} {
		if got.Code != http.StatusOK || !strings.Contains(got.Body.String(), want) {
			t.Errorf("status %d, metrics without %q", got.Code, want)
		}
	}
}

// Connections that send nothing, garbage or half a request do not keep others from being answered, and are cut off.
func TestHostileConnections(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := newServer(newTestRuntime())
	server.ReadHeaderTimeout = 2 * time.Second // enough for the one that says what it wants, on a busy machine
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	defer func() {
		stopServer(server)
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}()
	address := listener.Addr().String()
	var conns []net.Conn
	for i := range 300 {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		opening := []string{"", "GET /health HTTP/1.1\r\nHost: x\r\nX-", "\x16\x03\x01\x02\x00\x00garbage\r\n\r\n"}[i%3]
		if _, err := io.WriteString(conn, opening); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
	}
	if status, body := get(t, address, "/health"); status != 200 || body != "ok\n" {
		t.Errorf("/health is %d %q", status, body)
	}
	for i, conn := range conns {
		if err := conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("connection %d is still open", i)
		}
	}
}

// Whoever asks for metrics and does not read them keeps nobody else from having them.
func TestSlowReadersOfMetrics(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	rt := newTestRuntime()
	// Twenty answers of that size fill what lies between the two; a long text is cheap to build, and many metrics are not.
	large := prometheus.NewGauge(prometheus.GaugeOpts{Name: "large", Help: strings.Repeat("x", 1<<20)})
	rt.Metrics.MustRegister(large)
	server := newServer(rt)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	defer func() {
		stopServer(server)
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}()
	address := listener.Addr().String()
	for range 3 * maxScrapes {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if err := conn.(*net.TCPConn).SetReadBuffer(1 << 10); err != nil { // what nobody reads is soon in the way
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, strings.Repeat("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 20)); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 1)); err != nil { // an answer has begun
			t.Fatal(err)
		}
	}
	answered := func() bool {
		status, body := get(t, address, "/metrics")
		return status == http.StatusOK && strings.Contains(body, "\ngo_goroutines ")
	}
	limit := time.Now().Add(writeTimeout / 2) // those that do not read have not been cut off by then
	for streak := 0; streak < 10; {
		if streak++; !answered() {
			streak = 0
		}
		if time.Now().After(limit) {
			t.Fatal("/metrics does not answer ten times in a row while others do not read theirs")
		}
	}
}
