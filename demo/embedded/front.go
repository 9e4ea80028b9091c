package embedded

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Fault is what happens to requests instead of, or after, being served. The zero value serves them.
type Fault struct {
	// Path restricts the fault to requests with this path, such as /write; empty means all.
	Path string
	// Larger restricts the fault to requests with a body of more than this many bytes.
	Larger int64
	// Status answers with this status and Body.
	Status int
	Body   string
	// CutAnswer closes the connection in the middle of that answer's body.
	CutAnswer bool
	// Hang reads the request and never answers, until the fault is changed or the client gives up.
	Hang bool
	// Cut closes the connection without an answer.
	Cut bool
	// LoseAnswer serves the request and closes the connection instead of answering it: what the
	// client must take for a failure has happened.
	LoseAnswer bool
	// HalfAnswer does the same in the middle of the answer's first line.
	HalfAnswer bool
}

// concerns says whether the fault is for the request at all.
func (f Fault) concerns(r *http.Request) bool {
	return (f.Path == "" || f.Path == r.URL.Path) && (f.Larger == 0 || r.ContentLength > f.Larger)
}

// serves says whether the fault is none: it changes nothing for the requests that it concerns.
func (f Fault) serves() bool { return f == Fault{Path: f.Path, Larger: f.Larger} }

// Front serves an HTTP handler on a loopback port of its own, and fails on demand.
// It is safe for concurrent use.
type Front struct {
	gate    *gate
	server  *http.Server
	handler http.Handler
	failed  atomic.Int64

	mu      sync.Mutex
	fault   Fault
	changed chan struct{} // closed when fault is replaced
}

// StartFront serves the handler on the port, or on a free one where port is 0. The caller closes it.
func StartFront(port int, handler http.Handler) (*Front, error) {
	g, err := newGate(port, func(string) {})
	if err != nil {
		return nil, err
	}
	f := &Front{gate: g, handler: handler, changed: make(chan struct{})}
	f.server = &http.Server{Handler: http.HandlerFunc(f.serve), ReadHeaderTimeout: time.Minute}
	go func() { _ = f.server.Serve(g) }() // ends with Close, and says nothing but that
	return f, nil
}

// URL returns http://host:port. It stays the same for the front's life.
func (f *Front) URL() string { return "http://" + f.gate.Addr().String() }

// Fail puts the fault in place of the one before. Requests that hang are then served anew.
func (f *Front) Fail(fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = fault
	close(f.changed)
	f.changed = make(chan struct{})
}

// Failed returns how many requests a fault has answered, cut or held so far.
func (f *Front) Failed() int64 { return f.failed.Load() }

// Down cuts all connections and refuses new ones.
func (f *Front) Down() { f.gate.Shut() }

// Up accepts connections again.
func (f *Front) Up() error { return f.gate.Open() }

// Close ends the front; requests in progress are cut.
func (f *Front) Close() error {
	f.Fail(Fault{Cut: true}) // frees those that hang
	return errors.Join(f.gate.Close(), f.server.Close())
}

func (f *Front) current(r *http.Request) (Fault, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.fault.concerns(r) {
		return Fault{}, f.changed
	}
	return f.fault, f.changed
}

func (f *Front) serve(w http.ResponseWriter, r *http.Request) {
	fault, changed := f.current(r)
	if fault.serves() {
		f.handler.ServeHTTP(w, r)
		return
	}
	f.failed.Add(1)
	switch {
	case fault.Hang:
		if f.hang(r.Context(), changed) {
			f.serve(w, r)
		}
	case fault.LoseAnswer:
		f.handler.ServeHTTP(discardAnswer{}, r)
		panic(http.ErrAbortHandler) // net/http's way to cut the connection
	case fault.HalfAnswer:
		f.handler.ServeHTTP(discardAnswer{}, r)
		halfAnswer(w)
	case fault.Cut:
		panic(http.ErrAbortHandler)
	default:
		_, _ = io.Copy(io.Discard, r.Body)
		if fault.CutAnswer {
			w.Header().Set("Content-Length", strconv.Itoa(2*len(fault.Body)))
		}
		w.WriteHeader(fault.Status)
		_, _ = io.WriteString(w, fault.Body)
		if fault.CutAnswer {
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
	}
}

// hang waits for another fault and reports whether the client is still there then.
func (f *Front) hang(ctx context.Context, changed <-chan struct{}) bool {
	select {
	case <-changed:
		return true
	case <-ctx.Done():
		return false
	}
}

// halfAnswer writes half of the first line of an answer that says that all is well, and closes the connection.
func halfAnswer(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_, _ = io.WriteString(conn, "HTTP/1.1 204 No Con") // the client may be gone already
	_ = conn.Close()
}

// discardAnswer is the ResponseWriter of an answer that gets lost.
type discardAnswer struct{}

func (discardAnswer) Header() http.Header         { return http.Header{} }
func (discardAnswer) Write(p []byte) (int, error) { return len(p), nil }
func (discardAnswer) WriteHeader(int)             {}
