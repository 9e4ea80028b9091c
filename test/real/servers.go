// Package real starts real servers for the end-to-end cases.
package real

import (
	"context"
	"strings"
	"testing"

	"fintrans/demo/harness"
	"fintrans/test/realinflux"
	"fintrans/test/realkafka"
)

// Servers returns the harness.Starter of an Apache Kafka of the generation and of a release of
// InfluxDB. If the test fails, the ends of their logs are shown.
func Servers(generation realkafka.Generation, release realinflux.Release) harness.Starter {
	return func(t testing.TB, need harness.Need) harness.Servers {
		t.Helper()
		return harness.Servers{Kafka: startKafka(t, generation, need.Brokers), Influx: startInflux(t, release)}
	}
}

// kafka is a cluster as the harness wants it: brokers go without a farewell.
type kafka struct {
	*realkafka.Cluster
	t testing.TB
}

func startKafka(t testing.TB, generation realkafka.Generation, brokers int) kafka {
	t.Helper()
	return kafka{StartCluster(t, realkafka.Options{Generation: generation, Brokers: brokers}), t}
}

// StartCluster starts an Apache Kafka that ends with the test. If that fails, the ends of its logs are shown.
func StartCluster(t testing.TB, options realkafka.Options) *realkafka.Cluster {
	t.Helper()
	cluster, err := realkafka.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(strings.Join(cluster.Logs(), "\n"))
		}
		if err := cluster.Close(); err != nil {
			t.Errorf("close Apache Kafka: %v", err)
		}
	})
	return cluster
}

// Down kills the brokers.
func (k kafka) Down(brokers ...int) {
	k.t.Helper()
	if err := k.Kill(brokers...); err != nil {
		k.t.Errorf("kill brokers: %v", err)
	}
}

// Up starts the brokers again and returns when they answer.
func (k kafka) Up(brokers ...int) error {
	return k.Cluster.Up(context.WithoutCancel(k.t.Context()), brokers...)
}
