// Package service is what the three services have in common around their work: settings from flags
// and environment, logging, the HTTP endpoints /health, /ready and /metrics, signals and the drain,
// and the watch over memory.
package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"
)

const (
	// DrainBudget is the time that Serve has to flush, commit and return after its context has ended.
	DrainBudget = 9 * time.Second
	// DrainLimit is when Run gives up on a Serve that has not returned. What lies between the two is
	// for the last log line and the HTTP server.
	DrainLimit = 10 * time.Second
)

// The exit statuses of a service.
const (
	ExitOK    = 0 // finished, or drained after a signal
	ExitError = 1 // ran and failed, or could not drain in time
	ExitUsage = 2 // a setting is not valid; nothing was started
)

// App is a service: its settings C, a struct that embeds Common, and what it does with them.
type App[C any] struct {
	Name        string // of the program, e.g. influx-ingest
	Description string // one sentence for --help
	// Serve does the work until it is finished or ctx ends, which the first SIGTERM or SIGINT brings
	// about. It then has DrainBudget to drain. nil ends the process with status 0; an error is logged
	// as one line and ends it with status 1. A panic in Serve is not caught.
	Serve func(ctx context.Context, cfg C, rt *Runtime) error
	// Signals replaces the signals of the process where it is not nil: for tests.
	Signals <-chan os.Signal
}

// Runtime is what Run prepares for Serve.
type Runtime struct {
	Name    string               // of the service
	Log     *logrus.Logger       // to stderr
	Metrics *prometheus.Registry // fresh, served at /metrics; Go, process and build info are in it
	Health  *Health              // the loops behind /health
	Ready   *Readiness           // the conditions behind /ready
	Stdout  io.Writer            // of the process; check the error of each write
}

// Common are the settings of all services; each service's settings embed it.
type Common struct {
	Listen    Listen      `help:"Address of the HTTP server for /health, /ready and /metrics; port 0 is a free port, which is logged." placeholder:"HOST:PORT" default:"127.0.0.1:0" fallback:"PORT0"`
	LogLevel  LogLevel    `help:"Least severe level that is logged: error, warning, info, debug or trace." placeholder:"LEVEL" default:"info"`
	LogFormat Choice      `help:"Format of the log on stderr." enum:"text,json" default:"text"`
	Version   VersionFlag `help:"Print the version and exit."`
}

func (c Common) common() Common { return c }

// Run runs app to its end and returns the exit status of the process. It reads settings from args (the
// command line without the program's name) and environ (os.LookupEnv, or the lookup of a map in tests).
// The output of --help and --version and whatever Serve writes goes to stdout, log and errors to stderr.
func Run[C any](app App[C], args []string, environ func(string) (string, bool), stdout, stderr io.Writer) int {
	var cfg C
	settings, err := newSettings(app.Name, app.Description, &cfg)
	if err == nil {
		err = settings.parse(args, environ)
	}
	switch {
	case errors.Is(err, errHelp):
		return show(stdout, stderr, app.Name, settings.help())
	case errors.Is(err, errVersion):
		return show(stdout, stderr, app.Name, versionLine(app.Name, CurrentBuild()))
	case err != nil:
		_, _ = fmt.Fprintf(stderr, "%s: %s\n", app.Name, oneLine(err.Error()))
		return ExitUsage
	}
	signals := app.Signals
	if signals == nil {
		own := make(chan os.Signal, 2)
		signal.Notify(own, syscall.SIGTERM, syscall.SIGINT)
		defer signal.Stop(own)
		signals = own
	}
	common := any(cfg).(interface{ common() Common }).common() // newSettings has made sure of it
	rt := NewRuntime(app.Name, newLogger(common, stderr), stdout)
	logStart(rt.Log, CurrentBuild(), settings)
	limitHeap(rt.Log, environ)
	p := process{
		listen:  string(common.Listen),
		signals: signals,
		serve:   func(ctx context.Context) error { return app.Serve(ctx, cfg, rt) },
		rt:      rt,
	}
	if err := p.run(); err != nil {
		rt.Log.WithError(err).Error("stopped")
		return ExitError
	}
	rt.Log.Info("stopped")
	return ExitOK
}

// NewRuntime returns what Run hands to Serve. Run makes its own; tests of what
// a Serve is made of need one, too.
func NewRuntime(name string, log *logrus.Logger, stdout io.Writer) *Runtime {
	return &Runtime{
		Name:    name,
		Log:     log,
		Metrics: newRegistry(name, CurrentBuild()),
		Health:  newHealth(),
		Ready:   &Readiness{},
		Stdout:  stdout,
	}
}

// Main runs app with the arguments, environment, streams and signals of the process, and ends the process.
// It is the only place that does so.
func Main[C any](app App[C]) {
	// Without this a closed stdout would kill the process before it could say what is lost.
	signal.Ignore(syscall.SIGPIPE)
	os.Exit(Run(app, os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr))
}

// show writes what --help and --version ask for.
func show(stdout, stderr io.Writer, name, text string) int {
	if _, err := io.WriteString(stdout, text); err != nil {
		_, _ = fmt.Fprintf(stderr, "%s: write to stdout: %s\n", name, oneLine(err.Error()))
		return ExitError
	}
	return ExitOK
}

// process is a service whose settings are valid.
type process struct {
	listen  string
	signals <-chan os.Signal
	serve   func(context.Context) error
	rt      *Runtime
}

// run serves HTTP around the work: from before it starts until after it has drained, so that /health and
// /metrics show the drain.
func (p *process) run() error {
	listener, err := net.Listen("tcp", p.listen)
	if err != nil {
		return fmt.Errorf("listen for HTTP: %w", err)
	}
	p.rt.Log.WithField("listen", listener.Addr().String()).Info("listening")
	server := newServer(p.rt)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	err = p.supervise(failed)
	if errors.Is(err, errAbandoned) {
		_ = server.Close() // there is no time left to be polite
		return err
	}
	stopServer(server)
	return err
}

// errAbandoned is wrapped by the errors after which the process has to end at once.
var errAbandoned = errors.New("what was not committed will be read again, what was not acknowledged is lost")

// supervise runs the work until it returns, and ends its context at a signal or when HTTP has failed.
func (p *process) supervise(httpFailed <-chan error) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- p.serve(ctx) }()

	var cause error
	select {
	case err := <-done:
		return err
	case sig := <-p.signals:
		p.rt.Log.WithField("signal", sig.String()).Info("stopping")
	case err := <-httpFailed:
		cause = fmt.Errorf("serve HTTP: %w", err)
		p.rt.Log.Warn("stopping: the HTTP server has failed")
	}
	p.rt.Ready.Set("shutdown", "stopping")
	cancel()
	return errors.Join(cause, p.drain(done))
}

// drain waits for the work to return, until the limit or another signal.
func (p *process) drain(done <-chan error) error {
	limit := time.NewTimer(DrainLimit)
	defer limit.Stop()
	select {
	case err := <-done:
		return err
	case sig := <-p.signals:
		return fmt.Errorf("not drained: second signal (%s): %w", sig, errAbandoned)
	case <-limit.C:
		return fmt.Errorf("not drained within %s: %w", DrainLimit, errAbandoned)
	}
}
