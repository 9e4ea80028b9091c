package real

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"fintrans/demo/embedded"
	"fintrans/demo/harness"
	"fintrans/test/realkafka"
)

// On returns the harness.Starter of a cluster that is there for several cases, one after the other, and of an
// InfluxDB within the process. What a case leaves in the cluster, topics and groups, is removed.
func On(cluster *realkafka.Cluster) harness.Starter {
	return func(t testing.TB, _ harness.Need) harness.Servers {
		t.Helper()
		t.Cleanup(func() { empty(t, cluster) })
		influx, err := embedded.StartInflux(embedded.InfluxOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := influx.Close(); err != nil {
				t.Errorf("close InfluxDB: %v", err)
			}
		})
		return harness.Servers{Kafka: kafka{cluster, t}, Influx: influx}
	}
}

// Beside returns the harness.Starter of a cluster that is there for several cases at the same time, which leave nothing
// in it, and of no InfluxDB.
func Beside(cluster *realkafka.Cluster) harness.Starter {
	return func(t testing.TB, _ harness.Need) harness.Servers {
		return harness.Servers{Kafka: kafka{cluster, t}, Influx: nowhere{}}
	}
}

// nowhere is an address at which no InfluxDB is.
type nowhere struct{ harness.Influx }

// URL implements harness.Influx.
func (nowhere) URL() string { return "http://127.0.0.1:1" }

// Admin returns a client that may do everything in the cluster. It ends with the test.
func Admin(t testing.TB, cluster *realkafka.Cluster) *kadm.Client {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.Addrs()...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return kadm.NewClient(client)
}

// empty removes all topics and groups.
func empty(t testing.TB, cluster *realkafka.Cluster) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	admin := Admin(t, cluster)
	topics, err := admin.ListTopics(ctx)
	if err != nil {
		t.Errorf("list the topics that are left: %v", err)
		return
	}
	if names := topics.Names(); len(names) > 0 {
		deleted, err := admin.DeleteTopics(ctx, names...)
		if err == nil {
			err = deleted.Error()
		}
		if err != nil {
			t.Errorf("delete the topics that are left: %v", err)
		}
		harness.Eventually(t, func() (bool, string) { // with ZooKeeper it takes a while after the answer
			could, err := admin.ValidateCreateTopics(ctx, 1, 1, nil, names...)
			if err == nil {
				err = could.Error()
			}
			return err == nil, fmt.Sprintf("the topics that were left are not gone: %v", err)
		})
	}
	groups, err := admin.ListGroups(ctx)
	if err != nil {
		t.Errorf("list the groups that are left: %v", err)
		return
	}
	if _, err := admin.DeleteGroups(ctx, groups.Groups()...); err != nil {
		t.Errorf("delete the groups that are left: %v", err)
	}
}
