// Command chaos runs fintrans on a real Apache Kafka and InfluxDB through random faults, heals everything and judges:
// whether each transaction is one point, and each episode an alert.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"fintrans/demo/interrupt"
	"fintrans/internal/service"
	"fintrans/test/chaos"
	"fintrans/test/realkafka"
)

const (
	name        = "chaos"
	description = "Runs fintrans on a real Apache Kafka and InfluxDB through random faults, heals everything and judges. It is run in the folder test of a checkout, and needs Java 17, Maven and Go. Exit status 1: a promise was broken, or there is no verdict."
)

// config is what it can be told, by flag or by environment.
type config struct {
	For       service.Duration `name:"for" default:"30m" help:"How long to inject faults. Ctrl-C ends it earlier; then, too, everything is healed and judged."`
	Seed      service.Count    `name:"seed" default:"0" help:"Seed: the same one gives the same faults at the same times; 0 is a random one, which is shown."`
	Kafka     service.Choice   `name:"kafka" enum:"4,3.9,2.4" default:"4" help:"Generation of Apache Kafka."`
	Brokers   service.Count    `name:"brokers" default:"3" min:"1" max:"5" help:"Number of brokers."`
	Instances service.Count    `name:"instances" default:"3" min:"1" max:"6" help:"Number of instances of each consumer."`
	Rate      service.Number   `name:"rate" default:"200" min:"1" max:"2000" help:"Transactions per second."`
	Pause     service.Duration `name:"pause" default:"5s" min:"1s" help:"Shortest pause between two faults that befall the services; the longest is a little more than twice that, and those between faults of servers and network go with it."`
	Faults    chaos.KindList   `name:"faults" default:"all" help:"Kinds of faults, separated by commas: kill, terminate, freeze, scale, roll, broker-kill, broker-roll, brokers-away, influx-kill, influx-fails, net-slow, net-cut, net-half-open, net-reset, partitions; or all."`
	Binaries  string           `name:"binaries" placeholder:"FOLDER" help:"Folder with the three services; that of the program itself where empty."`
	Logs      string           `name:"logs" placeholder:"FOLDER" help:"Folder that the services' logs are kept in; where empty they are kept only when something is wrong."`

	Version service.VersionFlag `help:"Print the version and exit."`
}

var generations = map[service.Choice]realkafka.Generation{"4": realkafka.Kafka4, "3.9": realkafka.Kafka39, "2.4": realkafka.Kafka24}

func main() {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	os.Exit(run(os.Args[1:], os.LookupEnv, signals, os.Stdout, os.Stderr))
}

// run returns the exit status.
func run(args []string, environ func(string) (string, bool), signals <-chan os.Signal, stdout, stderr io.Writer) int {
	var cfg config
	answer, err := service.ReadSettings(name, description, &cfg, args, environ)
	switch {
	case err != nil:
		_, _ = fmt.Fprintf(stderr, "%s: %s\n", name, err)
		return service.ExitUsage
	case answer != "":
		_, err = io.WriteString(stdout, answer)
	default:
		err = perform(cfg, signals, stdout)
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "%s: %v\n", name, err)
		return service.ExitError
	}
	return service.ExitOK
}

// perform runs and reports.
func perform(cfg config, signals <-chan os.Signal, stdout io.Writer) (err error) {
	if cfg.Seed == 0 {
		cfg.Seed = service.Count(1 + rand.Uint32N(1_000_000)) // short enough to be typed again
	}
	if cfg.Binaries == "" {
		own, err := os.Executable()
		if err != nil {
			return err
		}
		cfg.Binaries = filepath.Dir(own)
	}
	for _, service := range []string{chaos.Generator, chaos.Ingest, chaos.Detector} {
		if _, err := os.Stat(filepath.Join(cfg.Binaries, service)); err != nil {
			return fmt.Errorf("BINARIES: %w; 'make chaos' builds the services first", err)
		}
	}
	logs, kept, err := makeLogs(cfg.Logs)
	if err != nil {
		return err
	}
	interruption, release := interrupt.By(signals, nil)
	defer release()
	report, err := chaos.Run(interruption, chaos.Config{
		Shape: chaos.Shape{
			Length: cfg.For.Duration(), Brokers: int(cfg.Brokers), Instances: int(cfg.Instances), Kinds: cfg.Faults,
			Pause: cfg.Pause.Duration(),
		},
		Seed: uint64(cfg.Seed), Rate: float64(cfg.Rate), Generation: generations[cfg.Kafka],
		Binaries: cfg.Binaries, Logs: logs, Command: cfg.command(), Out: stdout,
	})
	if err == nil {
		err = report.Write(stdout)
	}
	if err == nil && len(report.Broken) > 0 {
		err = errors.New("promises were broken")
	}
	if err == nil && !kept {
		return os.RemoveAll(logs)
	}
	if err != nil {
		return fmt.Errorf("%w; seed %d, logs in %s", errors.Join(context.Cause(interruption.Hard), err), cfg.Seed, logs)
	}
	return nil
}

// command runs the same faults again.
func (c config) command() string {
	faults := "all"
	if len(c.Faults) < len(chaos.Kinds()) {
		faults = ""
		for i, kind := range c.Faults {
			if i > 0 {
				faults += ","
			}
			faults += string(kind)
		}
	}
	return fmt.Sprintf("make chaos FOR=%v SEED=%d KAFKA=%s BROKERS=%d INSTANCES=%d RATE=%v PAUSE=%v FAULTS=%s",
		c.For.Duration(), c.Seed, c.Kafka, c.Brokers, c.Instances, float64(c.Rate), c.Pause.Duration(), faults)
}

// makeLogs makes the folder for the logs; kept says that it was asked for.
func makeLogs(asked string) (folder string, kept bool, err error) {
	if asked != "" {
		return asked, true, os.MkdirAll(asked, 0o755)
	}
	folder, err = os.MkdirTemp("", "fintrans-chaos-")
	return folder, false, err
}
