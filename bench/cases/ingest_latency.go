package cases

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"fintrans/bench/peers"
	"fintrans/bench/report"
	"fintrans/bench/scene"
	"fintrans/bench/stats"
	"fintrans/internal/transaction"
)

// storedRate is the number of transactions a second.
const storedRate = 3_000

// ingestLatencyCase measures from a record to its point.
func ingestLatencyCase(ctx context.Context, s *scene.Scene) (Outcome, error) {
	server, err := s.Influx(ctx)
	if err != nil {
		return Outcome{}, err
	}
	defer server.Close()
	k, err := s.Kafka(ctx)
	if err != nil {
		return Outcome{}, err
	}
	defer k.Close()
	gate, err := openGate(ctx, server.URL())
	if err != nil {
		return Outcome{}, err
	}
	i := &ingestion{scene: s, kafka: k, influx: scene.Influx{URL: gate.url}}
	l := &storedLatency{ingestion: i, gate: gate}
	r, err := l.rounds(ctx)
	if err != nil {
		return Outcome{}, err
	}
	ours, telegraf := percentiles(r.waits[0], fromSend, 99), percentiles(r.waits[1], fromSend, 99)
	table := report.Table{Header: []string{fmt.Sprintf("at %d/s", storedRate), "median ms", "p99 ms", "max ms"}}
	for n, name := range r.names {
		table.Add(name, report.Range(percentiles(r.waits[n], fromSend, 50), milliseconds),
			report.Range(percentiles(r.waits[n], fromSend, 99), milliseconds), report.Range(percentiles(r.waits[n], fromSend, 100), milliseconds))
	}
	table.Add(ratioRow(r, []func(waits) []time.Duration{fromSend})...)
	return Outcome{
		Section: report.Section{
			Title:  "From a record to its point",
			Text:   "From the send until InfluxDB has accepted the point; INGEST_WAIT_SEC=1 against flush_interval = \"1s\".",
			Tables: []report.Table{table},
		},
		Targets: []report.Target{atMost("influx-ingest, record to stored point, p99 at 3,000/s", "Telegraf", 0.25,
			stats.Of(stats.Ratios(ours, telegraf)).Median, report.Ratio)},
	}, nil
}

// storedLatency measures through a gate before InfluxDB.
type storedLatency struct {
	*ingestion
	gate *gate
}

// rounds has both run once a round. The first round is a warm-up that does not count, as for the alerts.
func (l *storedLatency) rounds(ctx context.Context) (runs, error) {
	r := runs{names: [2]string{"influx-ingest", "Telegraf"}}
	start := [2]starter{l.startOurs("INGEST_WAIT_SEC=1"), l.startTelegraf(peers.RecordTime)}
	for round, i := range turns(0, l.scene.Rounds, len(start)) {
		w, err := l.run(ctx, start[i])
		if err != nil {
			return r, fmt.Errorf("%s: %w", roundName(round), err)
		}
		l.scene.Say("  %s: %-14s median %s ms, p99 %s ms of %d", roundName(round), r.names[i],
			report.Millis(stats.Percentile(w.sent, 50)), report.Millis(stats.Percentile(w.sent, 99)), len(w.sent))
		if round > 0 {
			r.waits[i] = append(r.waits[i], w)
		}
	}
	return r, nil
}

func (l *storedLatency) run(ctx context.Context, start starter) (waits, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errors.New("the points did not come"))
	defer cancel()
	database := l.scene.Name("bench")
	if err := l.influx.CreateDatabase(ctx, database); err != nil {
		return waits{}, err
	}
	l.gate.begin()
	load, err := connectLoad(l.kafka, storedRate, l.gate.next)
	if err != nil {
		return waits{}, err
	}
	defer load.topics.Close()
	p, err := start(ctx, l.scene.Name("bench"), database)
	if err != nil {
		return waits{}, err
	}
	defer p.Stop(grace)
	// Until the first of this run's points is there, which says that what earlier runs have left is through.
	for l.gate.stored.Load() == 0 {
		if err := load.run(ctx, 200*time.Millisecond); err != nil {
			return waits{}, p.Failure(err)
		}
	}
	if err := load.run(ctx, warmUp); err != nil {
		return waits{}, err
	}
	from := load.sent
	if err := load.run(ctx, observed); err != nil {
		return waits{}, err
	}
	to := load.sent
	return collect(ctx, p, "points", func() (waits, int) { return l.gate.so(from, to) })
}

// gate passes requests on to InfluxDB and notes when it has accepted which points.
type gate struct {
	url    string
	base   atomic.Int64 // number of the run's first transaction
	stored atomic.Int64 // points of this run

	mu   sync.Mutex
	sent []time.Time // by number within the run
	done []time.Time
}

// openGate listens until ctx ends.
func openGate(ctx context.Context, influx string) (*gate, error) {
	target, err := url.Parse(influx)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	g := &gate{url: "http://" + listener.Addr().String()}
	pass := &httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	server := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// All of it first: where InfluxDB answers while the proxy still looks for the end of a body, it may close the connection.
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if r.URL.Path != "/write" {
			pass.ServeHTTP(w, r)
			return
		}
		answer := &statusKeeper{ResponseWriter: w}
		pass.ServeHTTP(answer, r)
		if answer.status == http.StatusNoContent {
			g.accepted(body, time.Now())
		}
	})}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	go func() { _ = server.Serve(listener) }()
	return g, nil
}

type statusKeeper struct {
	http.ResponseWriter
	status int
}

func (k *statusKeeper) WriteHeader(status int) {
	k.status = status
	k.ResponseWriter.WriteHeader(status)
}

// begin begins a run: its transactions are numbered on from the last one's.
func (g *gate) begin() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.base.Add(int64(len(g.sent)))
	g.stored.Store(0)
	g.sent, g.done = nil, nil
}

// next is the n-th transaction of the run.
func (g *gate) next(n int64) (transaction.Transaction, func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sent, g.done = append(g.sent, time.Now()), append(g.done, time.Time{})
	return transaction.Transaction{Source: uint32(firstProbe + g.base.Load() + n), Target: 1, Amount: 1}, nil
}

// accepted notes the points of a POST, each once.
func (g *gate) accepted(body []byte, at time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for line := range bytes.Lines(body) {
		n, ok := sourceOf(line)
		n -= firstProbe + g.base.Load()
		if ok && n >= 0 && n < int64(len(g.done)) && g.done[n].IsZero() {
			g.done[n] = at
			g.stored.Add(1)
		}
	}
}

// sourceOf is the field source of a line.
func sourceOf(line []byte) (int64, bool) {
	_, rest, found := bytes.Cut(line, []byte("source="))
	digits, _, ended := bytes.Cut(rest, []byte("i"))
	n, err := strconv.ParseInt(string(digits), 10, 64)
	return n, found && ended && err == nil
}

// so are the latencies of these transactions so far.
func (g *gate) so(from, to int64) (w waits, missing int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for n := from; n < to; n++ {
		if g.done[n].IsZero() {
			missing++
			continue
		}
		w.sent = append(w.sent, g.done[n].Sub(g.sent[n]))
	}
	return w, missing
}
