// Package scene is where programs are measured: real servers, the services of this checkout, and what goes with
// them.
package scene

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"fintrans/bench/measure"
	"fintrans/bench/records"
	"fintrans/internal/transaction"
	"fintrans/test/realinflux"
	"fintrans/test/realkafka"
)

// Scene is what all cases share. It is used by one goroutine.
type Scene struct {
	Root     string // of the checkout
	Binaries string // folder of what was built for the bench
	Build    string // folder for what is fetched and compiled once, ignored by git
	Rounds   int
	Records  int64  // of a set, unless a case needs another number
	Profiles string // folder for processor profiles of the services; none where empty
	Progress io.Writer
	// Idle waits until the machine has nothing else to do, or patience is over, and tells which it was; nil: nobody waits.
	Idle func(ctx context.Context, patience time.Duration) (bool, error)

	number atomic.Int64
}

// Say tells the user what happens.
func (s *Scene) Say(format string, args ...any) {
	_, _ = fmt.Fprintf(s.Progress, format+"\n", args...) // nothing depends on it
}

// Settle waits until the machine is idle, and says so where it does not get so.
func (s *Scene) Settle(ctx context.Context, patience time.Duration) error {
	if s.Idle == nil {
		return nil
	}
	idle, err := s.Idle(ctx, patience)
	if err == nil && !idle {
		s.Say("  the machine is busy with something else")
	}
	return err
}

// Name returns a name that no other one of the run is like: of a consumer group, or a database.
func (s *Scene) Name(what string) string { return fmt.Sprintf("%s-%d", what, s.number.Add(1)) }

// Kafka is a broker with the cities' topics in it.
type Kafka struct {
	*records.Topics
	cluster *realkafka.Cluster
}

// Kafka starts an Apache Kafka without any record. The caller closes it.
func (s *Scene) Kafka(ctx context.Context) (*Kafka, error) {
	s.Say("starting Apache Kafka")
	cluster, err := realkafka.Start(ctx, realkafka.Options{Production: true})
	if err != nil {
		return nil, err
	}
	k := &Kafka{cluster: cluster}
	if k.Topics, err = records.Connect(cluster.Addrs()); err == nil {
		err = k.Create(ctx, records.Partitions, transaction.Cities()...)
	}
	if err != nil {
		return nil, errors.Join(err, k.Close())
	}
	return k, nil
}

// Broker returns host:port.
func (k *Kafka) Broker() string { return k.cluster.Addrs()[0] }

// Close ends the broker and removes its data.
func (k *Kafka) Close() error {
	if k.Topics != nil {
		k.Topics.Close()
	}
	return k.cluster.Close()
}

// Filled starts an Apache Kafka and puts the set into it.
func (s *Scene) Filled(ctx context.Context, set records.Set) (*Kafka, error) {
	k, err := s.Kafka(ctx)
	if err != nil {
		return nil, err
	}
	s.Say("putting %s into it", set)
	if err := k.Put(ctx, set, func(int64) {}); err != nil {
		return nil, errors.Join(err, k.Close())
	}
	return k, nil
}

// Influx starts an InfluxDB 1.8. The caller closes it.
func (s *Scene) Influx(ctx context.Context) (*realinflux.Server, error) {
	s.Say("starting InfluxDB 1.8 (the first time this compiles it: a minute or two)")
	return realinflux.Start(ctx, realinflux.Newest)
}

// Start starts a program that was built for the bench, with settings as NAME=value.
func (s *Scene) Start(name string, line func(string), settings ...string) (*measure.Process, error) {
	if s.Profiles != "" {
		settings = append(settings, "BENCH_CPU_PROFILE="+filepath.Join(s.Profiles, s.Name(name)+".pprof"))
	}
	return measure.Start(measure.Program{
		Name: name, Path: filepath.Join(s.Binaries, name), Env: settings, Line: line,
	})
}

// programs are built for the bench: the services as `make build` does, and the consumer that only counts.
var programs = map[string]string{
	Generator: "./generator", Ingest: "./influx-ingest", Detector: "./laundering-detector", Bare: "./bench/cmd/bare",
}

// The programs that are built for the bench.
const (
	Generator = "generator"
	Ingest    = "influx-ingest"
	Detector  = "laundering-detector"
	Bare      = "bare"
)

// Compile builds the programs into s.Binaries.
func (s *Scene) Compile(ctx context.Context) error {
	s.Say("building the services and the bare consumer")
	for name, folder := range programs {
		dir, pkg := s.Root, folder
		if name == Bare {
			dir, pkg = filepath.Join(s.Root, "bench"), "./cmd/bare"
		}
		args := []string{"build", "-trimpath", "-o", filepath.Join(s.Binaries, name)}
		if s.Profiles != "" && name != Bare {
			overlay, err := s.overlay(folder)
			if err != nil {
				return err
			}
			args = append(args, "-overlay", overlay)
		}
		if err := Run(ctx, dir, nil, "go", append(args, pkg)...); err != nil {
			return fmt.Errorf("build %s: %w", name, err)
		}
	}
	return nil
}

// Run runs a command that is to end well.
func Run(ctx context.Context, dir string, env []string, name string, args ...string) error {
	command := exec.CommandContext(ctx, name, args...)
	command.Dir = dir
	command.Env = append(append(os.Environ(), "CGO_ENABLED=0"), env...)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(command.Args, " "), err, output)
	}
	return nil
}
