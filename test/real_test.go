// Package test_test runs the end-to-end cases on real servers.
package test_test

import (
	"os"
	"testing"

	"fintrans/demo/cases"
	"fintrans/demo/harness"
	"fintrans/test/real"
	"fintrans/test/realinflux"
	"fintrans/test/realkafka"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

// TestNewest runs all cases, the long ones among them, on the newest Apache Kafka and InfluxDB 1.8, or the core of
// them where REAL is core.
func TestNewest(t *testing.T) {
	t.Parallel()
	list := append(cases.All(), cases.Long()...)
	switch which := os.Getenv("REAL"); which {
	case "", "all":
	case "core":
		list = cases.Core()
	default:
		t.Fatalf("REAL=%s: expected all or core", which)
	}
	cases.Run(t, real.Servers(realkafka.Kafka4, realinflux.Newest), list)
}

// TestKafka39 runs the core of them on the last line of Apache Kafka before 4 and this machine's InfluxDB.
func TestKafka39(t *testing.T) {
	t.Parallel()
	cases.Run(t, real.Servers(realkafka.Kafka39, realinflux.Installed), cases.Core())
}

// TestKafka24 runs the core of them on the Apache Kafka that DC/OS installs, with ZooKeeper.
func TestKafka24(t *testing.T) {
	t.Parallel()
	cases.Run(t, real.Servers(realkafka.Kafka24, realinflux.Installed), cases.Core())
}
