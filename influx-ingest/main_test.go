package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/IBM/sarama"
	client "github.com/influxdata/influxdb1-client/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/sirupsen/logrus"
	"go.uber.org/goleak"

	"fintrans/internal/consume"
	"fintrans/internal/service"
	"fintrans/internal/transaction"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start runs the service with these variables until it ends by itself.
func start(t *testing.T, variables map[string]string) (code int, stdout, stderr string) {
	t.Helper()
	var out, log bytes.Buffer
	app := service.App[config]{Name: name, Description: "test", Serve: func(context.Context, config, *service.Runtime) error { return nil }}
	code = service.Run(app, nil, func(key string) (string, bool) {
		value, ok := variables[key]
		return value, ok
	}, &out, &log)
	return code, out.String(), log.String()
}

func TestSettings(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	noPEM := folder + "/no.pem"
	if err := os.WriteFile(noPEM, []byte("none"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name      string
		variables map[string]string
		want      string // in the one line, empty: a good start
	}{
		{"defaults", nil, ""},
		{"all set", map[string]string{"INFLUX_API": "https://i:1/path", "INFLUX_TARGET_DB": "a b", "INGEST_WAIT_SEC": "0.05", "INFLUX_USER": "u", "INFLUX_PASSWORD": "p", "MAX_AHEAD": "0"}, ""},
		{"no URL", map[string]string{"INFLUX_API": "ftp://x"}, "INFLUX_API:"},
		{"no database", map[string]string{"INFLUX_TARGET_DB": ".."}, `INFLUX_TARGET_DB: ".."`},
		{"a path as database", map[string]string{"INFLUX_TARGET_DB": "a/b"}, "expected printable characters"},
		{"negative wait", map[string]string{"INGEST_WAIT_SEC": "-1"}, "INGEST_WAIT_SEC:"},
		{"no number", map[string]string{"INGEST_WAIT_SEC": "soon"}, "INGEST_WAIT_SEC:"},
		{"too long a wait", map[string]string{"INGEST_WAIT_SEC": "31"}, "INGEST_WAIT_SEC:"},
		{"password without user", map[string]string{"INFLUX_PASSWORD": "hunter2"}, "INFLUX_PASSWORD: is set without INFLUX_USER"},
		{"authority without TLS", map[string]string{"INFLUX_CA_FILE": noPEM}, "expected an https URL"},
		{"no such file", map[string]string{"INFLUX_API": "https://i:1", "INFLUX_CA_FILE": folder + "/x"}, "INFLUX_CA_FILE: open"},
		{"no certificate", map[string]string{"INFLUX_API": "https://i:1", "INFLUX_CA_FILE": noPEM}, "has no certificate in it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := start(t, tt.variables)
			want := service.ExitOK
			if tt.want != "" {
				want = service.ExitUsage
			}
			if code != want || !strings.Contains(stderr, tt.want) {
				t.Errorf("got status %d and %q, want %d and %q", code, stderr, want, tt.want)
			}
			if tt.want != "" && strings.Count(stderr, "\n") != 1 {
				t.Errorf("got %q, want one line", stderr)
			}
			if stdout != "" || strings.Contains(stderr, "hunter2") {
				t.Errorf("got stdout %q, stderr %q", stdout, stderr)
			}
		})
	}
}

// quietSink is a sink over a function that takes the place of InfluxDB, whose
// schema is made.
func quietSink(post func(ctx context.Context, lines []byte) verdict) *sink {
	log := logrus.New()
	log.SetOutput(io.Discard)
	s := &sink{
		post:     func(ctx context.Context, lines ...[]byte) verdict { return post(ctx, bytes.Join(lines, nil)) },
		schema:   &schema{db: "fintrans", client: &fakeInflux{}, log: log, throttle: service.NewThrottle(0)},
		metrics:  newMetrics(prometheus.NewRegistry(), prefix, "city", transaction.Cities()),
		log:      log,
		throttle: service.NewThrottle(0),
		trouble:  service.NewCondition(0),
		health:   &service.Health{},
	}
	s.schema.made.Store(1)
	return s
}

// fakeInflux answers statements, and remembers them.
type fakeInflux struct {
	client.Client
	answer func(statement string) (*client.Response, error)

	mu         sync.Mutex
	statements []string
}

func (f *fakeInflux) Query(q client.Query) (*client.Response, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.statements = append(f.statements, q.Command)
	if f.answer == nil {
		return &client.Response{}, nil
	}
	return f.answer(q.Command)
}

// marks is a claim that remembers what was acknowledged.
type marks struct {
	mu   sync.Mutex
	next []int64
}

func (m *marks) Done(next, _ int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.next = append(m.next, next)
}

func (m *marks) list() []int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]int64(nil), m.next...)
}

func (m *marks) last() int64 {
	list := m.list()
	if len(list) == 0 {
		return -1
	}
	return list[len(list)-1]
}

// filled is a batch of n points from an offset on.
func filled(first, n int64) *batch {
	b := &batch{}
	for offset := first; offset < first+n; offset++ {
		b.lines = append(b.lines, "x f=1i "...)
		b.lines = append(b.lines, byte('0'+offset%10), '\n')
		b.point(offset, 1000+offset)
		b.record(offset, 1000+offset)
	}
	return b
}

func counted(t *testing.T, c prometheus.Collector, want float64, what string) {
	t.Helper()
	if got := testutil.ToFloat64(c); got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func testRuntime() *service.Runtime {
	log := logrus.New()
	log.SetOutput(io.Discard)
	return service.NewRuntime(name, log, io.Discard)
}

// stuckClient closes when a broker answers at last.
type stuckClient struct{ sarama.Client }

func (stuckClient) Config() *sarama.Config { return sarama.NewConfig() }
func (stuckClient) Closed() bool           { return false }

func (stuckClient) Close() error {
	<-time.After(time.Hour)
	return nil
}

// What was committed stays so: brokers that hang must not use up what lies between the budget of a drain and its limit.
func TestConsumeAllDoesNotWaitForClientsThatDoNotClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		rt, sink := testRuntime(), quietSink(nil)
		clients := consume.Clients{Client: stuckClient{}, Fetch: stuckClient{}, Probe: stuckClient{}}
		start := time.Now()
		err := consumeAll(ctx, config{}, rt, money(config{}, rt), sink, clients)
		if took := time.Since(start); err != nil || took >= service.DrainLimit-service.DrainBudget {
			t.Errorf("after %s: %v", took, err)
		}
		<-time.After(2 * time.Hour) // for the clients to close
	})
}
