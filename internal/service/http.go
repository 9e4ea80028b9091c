package service

import (
	"bytes"
	"context"
	"fmt"
	stdlog "log"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/sirupsen/logrus"
)

// The bounds of the HTTP server. Requests are a line and a few headers, answers some kilobytes: whoever
// takes longer is cut off, so that idle connections, slow readers and garbage cost little and not for long.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 10 * time.Second
	writeTimeout  = 15 * time.Second
	idleTimeout   = 60 * time.Second // longer than the usual time between two scrapes or checks
	maxHeader     = 16 << 10
	// maxScrapes bounds the answers to /metrics that are built at the same time.
	maxScrapes = 8
	// stopTimeout is what remains for requests in flight when the service has drained.
	stopTimeout = 500 * time.Millisecond
)

// newServer makes the server of /health, /ready and /metrics.
func newServer(rt *Runtime) *http.Server {
	httpLog := httpLogger{rt.Log}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, rt.Health.Stalled(), "ok")
	})
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, rt.Ready.Reasons(), "ready")
	})
	mux.Handle("GET /metrics", buffered(promhttp.HandlerFor(rt.Metrics, promhttp.HandlerOpts{
		ErrorLog:      httpLog,
		ErrorHandling: promhttp.ContinueOnError, // one bad collector must not hide the others
	}), maxScrapes))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		writeText(w, http.StatusOK, rt.Name+`
/health   200 while every loop of the service is alive, else 503 with the loops that are not
/ready    200 while the service can do its job, else 503 with the reasons
/metrics  in the Prometheus format
`)
	})
	return &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          stdlog.New(httpLog, "", 0),
	}
}

// buffered builds so many answers of a handler at the same time, and sends each when it is complete: one that
// nobody reads takes its own memory, and no turn of another.
func buffered(handler http.Handler, atOnce int) http.Handler {
	turns := make(chan struct{}, atOnce)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case turns <- struct{}{}:
		case <-r.Context().Done():
			return
		}
		whole := answerBuffer{ResponseWriter: w}
		func() {
			defer func() { <-turns }()
			handler.ServeHTTP(&whole, r)
		}()
		if whole.status != 0 {
			w.WriteHeader(whole.status)
		}
		_, _ = w.Write(whole.body.Bytes()) // a client that has gone away is no news
	})
}

// answerBuffer keeps an answer back.
type answerBuffer struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// WriteHeader implements http.ResponseWriter.
func (b *answerBuffer) WriteHeader(status int) { b.status = status }

// Write implements http.ResponseWriter.
func (b *answerBuffer) Write(p []byte) (int, error) { return b.body.Write(p) }

// stopServer lets requests in flight finish for a moment, then closes everything.
func stopServer(server *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		_ = server.Close() // the process ends anyway
	}
}

// answer is 503 with a line for each reason, or 200 with a word if there is none.
func answer(w http.ResponseWriter, reasons []string, word string) {
	if len(reasons) == 0 {
		writeText(w, http.StatusOK, word+"\n")
		return
	}
	writeText(w, http.StatusServiceUnavailable, strings.Join(reasons, "\n")+"\n")
}

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // a client that has gone away is no news
}

// newRegistry makes a registry with what every service exports.
func newRegistry(name string, build Build) *prometheus.Registry {
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        strings.ReplaceAll(name, "-", "_") + "_build_info",
		Help:        "Always 1; the labels say which build this is.",
		ConstLabels: prometheus.Labels{"version": build.Version, "commit": build.Commit, "goversion": build.Go},
	})
	info.Set(1)
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		info,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return registry
}

// httpLogger logs what net/http and promhttp complain about. Mostly that is a client's doing, hence debug.
type httpLogger struct{ log *logrus.Logger }

// Write logs one message of net/http.
func (l httpLogger) Write(message []byte) (int, error) {
	l.log.WithField("error", strings.TrimSpace(string(message))).Debug("HTTP server")
	return len(message), nil
}

// Println logs one message of promhttp, which is about a collector of ours.
func (l httpLogger) Println(values ...any) {
	l.log.WithField("error", strings.TrimSpace(fmt.Sprintln(values...))).Warn("metrics are not complete")
}
