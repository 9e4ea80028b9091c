// Command demo shows fintrans at work: it starts an embedded Kafka and an embedded InfluxDB, or uses others,
// and the three services as processes. It shows the detector's alerts as they come and what InfluxDB has of
// the past hour. At the end it says whether InfluxDB has all the money that is in the topics, and how good
// the detection was.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"fintrans/demo/interrupt"
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
	// Who reads the output no more wants the demo to end as well.
	ctx, release := interrupt.By(signals, screen.Broken())
	defer release()
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
