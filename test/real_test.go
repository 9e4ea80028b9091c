// Package test_test runs the end-to-end cases on real servers.
package test_test

import (
	"os"
	"slices"
	"strings"
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

// TestFrozenBrokerIsNoticed has the detector ask the leader of Tokyo, while it judges, where the log ends: one broker
// that does not answer then stalls all cities, and the case that is there for it has to fail.
func TestFrozenBrokerIsNoticed(t *testing.T) {
	t.Parallel()
	if os.Getenv("REAL") == "core" {
		t.Skip("the case is none of the core") // as in TestNewest: REAL says what was asked for
	}
	dir := harness.FastMutant(t, "laundering-detector", harness.Mutation{
		File: "laundering-detector/pace.go",
		Old:  "	slowest := s.slowest()\n",
		New:  "	_, _ = s.detector.probe.GetOffset(\"Tokyo\", s.partition, -1)\n	slowest := s.slowest()\n",
	})
	servers := real.Servers(realkafka.Kafka4, realinflux.Newest)
	failures := harness.Try(t, func(t testing.TB) {
		cases.FrozenBrokerStallsItsCityAlone(t, func(t testing.TB, need harness.Need) harness.Servers {
			started := servers(t, need)
			started.Binaries = map[string]string{"laundering-detector": dir}
			return started
		})
	})
	if !slices.ContainsFunc(failures, func(failure string) bool { return strings.Contains(failure, "were judged") }) {
		t.Errorf("with the fault in the code the case fails with %.300q, want records that are not judged", failures)
	}
}
