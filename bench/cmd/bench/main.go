// Command bench measures the services beside what a user would pick instead, on real servers, and says which of
// the project's targets are reached. It is run from the checkout: make bench.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"fintrans/internal/service"
)

const (
	name        = "bench"
	description = "Measures the services beside their peers, on an Apache Kafka and an InfluxDB that it starts. All cases together take about half an hour on two idle cores; what else runs there is in the figures. The exit status tells whether it could measure, not whether the targets are reached."
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	status := run(ctx, os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// run measures and returns the exit status.
func run(ctx context.Context, args []string, environ func(string) (string, bool), stdout, stderr io.Writer) int {
	var cfg config
	answer, err := service.ReadSettings(name, description, &cfg, args, environ)
	switch {
	case err != nil:
		_, _ = fmt.Fprintf(stderr, "%s: %s\n", name, err)
		return service.ExitUsage
	case answer != "":
		if strings.Contains(answer, "--only") { // and is no version
			answer += caseList()
		}
		_, _ = io.WriteString(stdout, answer)
		return service.ExitOK
	}
	err = perform(ctx, cfg, stdout, stderr)
	switch {
	case err != nil && ctx.Err() != nil:
		_, _ = fmt.Fprintf(stderr, "%s: interrupted; nothing is left behind\n", name)
		return service.ExitError
	case err != nil:
		_, _ = fmt.Fprintf(stderr, "%s: %v\n", name, err)
		return service.ExitError
	}
	return service.ExitOK
}
