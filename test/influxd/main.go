// Command influxd is InfluxDB 1.8, the last line of 1.x, as a process of its own: the server that its release has,
// without the tools around it. go.mod pins the version.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/influxdata/influxdb/cmd/influxd/run"
)

func main() {
	if err := serve(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "influxd:", err)
		os.Exit(1) //nolint:forbidigo // this is where the program ends
	}
}

// serve takes the arguments that influxd run takes, and ends with SIGTERM or an interrupt.
func serve(args []string) error {
	if len(args) > 0 && args[0] == "run" {
		args = args[1:]
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	server := run.NewCommand()
	server.Version = "1.8.10"
	if err := server.Run(args...); err != nil {
		return err
	}
	<-signals
	return server.Close()
}
