// Command demo shows fintrans at work: it starts an embedded Kafka and an embedded InfluxDB, or uses others,
// and the three services as processes. It shows the detector's alerts as they come and what InfluxDB has of
// the past hour. At the end it says whether InfluxDB has all the money that is in the topics, and how good
// the detection was.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"fintrans/demo/show"
	"fintrans/internal/service"
)

const (
	name        = "demo"
	description = "Shows fintrans at work, on embedded servers or on others, and scores it at the end. Exit status 1: money or a ring was missed."
)

func main() {
	// Without this a reader that goes away would kill the demo before it could clean up.
	signal.Ignore(syscall.SIGPIPE)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	os.Exit(run(os.Args[1:], os.LookupEnv, signals, os.Stdout, os.Stderr))
}

// run runs the demo and returns its exit status.
func run(args []string, environ func(string) (string, bool), signals <-chan os.Signal, stdout *os.File, stderr io.Writer) int {
	var cfg config
	answer, err := service.ReadSettings(name, description, &cfg, args, environ)
	switch {
	case err != nil:
		_, _ = fmt.Fprintf(stderr, "%s: %s\n", name, err)
		return service.ExitUsage
	case answer != "":
		if _, err := io.WriteString(stdout, answer); err != nil {
			_, _ = fmt.Fprintf(stderr, "%s: write to stdout: %v\n", name, err)
			return service.ExitError
		}
		return service.ExitOK
	}
	screen := show.New(stdout, environ)
	ctx := newInterruption(signals, screen)
	defer ctx.release()
	err = perform(ctx, cfg, screen)
	if broken := screen.Err(); broken != nil {
		err = errors.Join(err, fmt.Errorf("write to stdout: %w", broken))
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "%s: %v\n", name, err)
		return service.ExitError
	}
	return service.ExitOK
}

// interruption is how a demo is brought to its end: soft ends when it is to drain, at the first signal or
// when nobody reads its output any more; hard when it is to end at once, at the second signal.
type interruption struct {
	soft, hard context.Context //nolint:containedctx // the two go everywhere together
	release    func()
}

// errInterrupted is the cause of the end of hard.
var errInterrupted = errors.New("interrupted a second time: what was under way was dropped")

func newInterruption(signals <-chan os.Signal, screen *show.Screen) interruption {
	hard, cut := context.WithCancelCause(context.Background())
	soft, stop := context.WithCancel(hard)
	go func() {
		select {
		case <-signals:
		case <-screen.Broken():
		case <-hard.Done():
			return
		}
		stop()
		select {
		case <-signals:
			cut(errInterrupted)
		case <-hard.Done():
		}
	}()
	return interruption{soft: soft, hard: hard, release: func() { stop(); cut(nil) }}
}
