package chaos_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fintrans/demo/harness"
	"fintrans/demo/interrupt"
	"fintrans/test/chaos"
	"fintrans/test/child"
	"fintrans/test/realkafka"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

// TestBrokers kills each of three brokers in turn, under load and with what they lead and coordinate, restarts them
// all one after the other, and takes all away at once. There are three replicas, of which two have to be in sync.
func TestBrokers(t *testing.T) {
	t.Parallel()
	through(t, []chaos.Fault{
		{At: 1 * time.Second, Kind: chaos.BrokerKill, Broker: 0, Lasts: 3 * time.Second},
		{At: 14 * time.Second, Kind: chaos.BrokerKill, Broker: 1, Lasts: 8 * time.Second},
		{At: 32 * time.Second, Kind: chaos.BrokerKill, Broker: 2, Lasts: time.Second},
		{At: 43 * time.Second, Kind: chaos.BrokerRoll},
		{At: 60 * time.Second, Kind: chaos.BrokersAway, Lasts: 10 * time.Second},
	})
}

// TestNetwork has the network of each service fail in each way: to all brokers, to one, and to InfluxDB.
func TestNetwork(t *testing.T) {
	t.Parallel()
	var faults []chaos.Fault
	add := func(kind chaos.Kind, service string, broker int) {
		at := time.Duration(len(faults)) * 7 * time.Second
		faults = append(faults, chaos.Fault{At: at, Kind: kind, Service: service, Broker: broker, Lasts: 4 * time.Second})
	}
	add(chaos.NetSlow, chaos.Ingest, chaos.ToInflux)
	add(chaos.NetSlow, chaos.Detector, chaos.AllBrokers)
	add(chaos.NetCut, chaos.Generator, chaos.AllBrokers)
	add(chaos.NetCut, chaos.Ingest, chaos.ToInflux)
	add(chaos.NetCut, chaos.Detector, 0)
	add(chaos.NetHalfOpen, chaos.Ingest, chaos.AllBrokers)
	add(chaos.NetHalfOpen, chaos.Generator, 1)
	add(chaos.NetHalfOpen, chaos.Ingest, chaos.ToInflux)
	add(chaos.NetReset, chaos.Detector, chaos.AllBrokers)
	add(chaos.NetReset, chaos.Generator, chaos.AllBrokers)
	through(t, faults)
}

// through runs the newest Kafka through the faults; the end comes some seconds after the last.
func through(t *testing.T, faults []chaos.Fault) {
	t.Helper()
	binaries, logs := "", t.TempDir()
	t.Cleanup(func() {
		if t.Failed() {
			paths, _ := filepath.Glob(filepath.Join(logs, "*.log")) // the pattern is a good one
			for _, path := range paths {
				t.Log(child.Tail(path))
			}
		}
	})
	for _, service := range []string{chaos.Generator, chaos.Ingest, chaos.Detector} {
		binaries = harness.Binaries(t, service)
	}
	last := faults[len(faults)-1]
	report, err := chaos.Run(interrupt.Interruption{Soft: t.Context(), Hard: context.WithoutCancel(t.Context())}, chaos.Config{
		Shape:  chaos.Shape{Length: last.At + last.Lasts + 5*time.Second, Brokers: 3, Instances: 2},
		Faults: faults, Seed: 1, Rate: 200, Generation: realkafka.Kafka4,
		Binaries: binaries, Logs: logs, Command: "this test", Out: t.Output(),
	})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := report.Write(&text); err != nil {
		t.Fatal(err)
	}
	t.Log(text.String())
	for _, broken := range report.Broken {
		t.Error(broken)
	}
	injected := 0
	for _, times := range report.Faults {
		injected += times
	}
	if injected != len(faults) || report.Transactions == 0 || report.Episodes == 0 {
		t.Errorf("%d of %d faults, %d transactions, %d episodes show nothing", injected, len(faults), report.Transactions, report.Episodes)
	}
}
