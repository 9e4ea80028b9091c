package embedded

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// KafkaOptions describes a cluster. The zero value is one broker without topics on a free port.
type KafkaOptions struct {
	// Brokers is the number of brokers; 0 is one. It is ignored where there are Ports.
	Brokers int
	// Ports of the brokers, one each.
	Ports []int
	// Topics are created at the start, each with its number of partitions.
	Topics map[string]int32
	// Session is how long a member of a group may be silent, whatever it asked for; 0 is 12 s.
	Session time.Duration
	// Rebalance is how long a rebalance waits for a member, whatever it asked for; 0 is 8 s.
	Rebalance time.Duration
}

// Kafka is a cluster of brokers in this process that keeps its records in memory.
// It is safe for concurrent use.
type Kafka struct {
	cluster *kfake.Cluster

	mu         sync.Mutex
	gates      []*gate     // one a broker, in the order of their ids
	departures *departures // nil until the cluster runs
}

// StartKafka starts a cluster, in a few milliseconds. The caller closes it.
func StartKafka(options KafkaOptions) (*Kafka, error) {
	k := &Kafka{}
	opts := []kfake.Opt{
		kfake.ListenFn(k.listen),
		kfake.GroupMinSessionTimeout(time.Millisecond),
	}
	if len(options.Ports) > 0 {
		opts = append(opts, kfake.Ports(options.Ports...))
	} else {
		opts = append(opts, kfake.NumBrokers(max(1, options.Brokers)))
	}
	for topic, partitions := range options.Topics {
		opts = append(opts, kfake.SeedTopics(partitions, topic))
	}
	cluster, err := kfake.NewCluster(opts...)
	if err != nil {
		return nil, fmt.Errorf("start the embedded Kafka: %w", err)
	}
	departures, err := newDepartures(cluster, k.Addrs())
	if err != nil {
		cluster.Close()
		return nil, fmt.Errorf("start the embedded Kafka: %w", err)
	}
	k.mu.Lock()
	k.cluster, k.departures = cluster, departures
	k.mu.Unlock()
	k.boundGroups(orDefault(options.Session, 12*time.Second), orDefault(options.Rebalance, 8*time.Second))
	return k, nil
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

// listen is called by the cluster for each of its brokers.
func (k *Kafka) listen(_, address string) (net.Listener, error) {
	addr, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, err
	}
	g, err := newGate(addr.Port, k.left)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.gates = append(k.gates, g)
	return g, nil
}

// left is called by a gate for each client that closes its connection.
func (k *Kafka) left(client string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.departures != nil {
		k.departures.gone(client)
	}
}

// boundGroups replaces the timeouts that members ask for. Unlike Apache Kafka, this cluster begins
// the wait for missing members again with each one that joins, lets the session of a member run out
// that waits for the others, and then never answers it. A rebalance that ends well within the
// session keeps groups from stalling after a kill.
func (k *Kafka) boundGroups(session, rebalance time.Duration) {
	k.cluster.ControlKey(int16(kmsg.JoinGroup), func(request kmsg.Request) (kmsg.Response, error, bool) {
		k.cluster.KeepControl()
		join := request.(*kmsg.JoinGroupRequest)
		k.departures.joined(join.Group)
		join.SessionTimeoutMillis = int32(session.Milliseconds())
		join.RebalanceTimeoutMillis = int32(rebalance.Milliseconds())
		return nil, nil, false
	})
}

// Cluster gives access to everything else that the broker can be made to do.
func (k *Kafka) Cluster() *kfake.Cluster { return k.cluster }

// Addrs returns host:port of each broker. They stay the same for the cluster's life.
func (k *Kafka) Addrs() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	addrs := make([]string, len(k.gates))
	for i, g := range k.gates {
		addrs[i] = g.Addr().String()
	}
	return addrs
}

// Down takes the given brokers away, or all of them where none is named: connections are cut and
// new ones refused. Records, topics and offsets are kept.
func (k *Kafka) Down(brokers ...int) {
	for _, g := range k.chosen(brokers) {
		g.Shut()
	}
}

// Up brings the given brokers back, or all of them, at the same addresses.
func (k *Kafka) Up(brokers ...int) error {
	var failed []error
	for _, g := range k.chosen(brokers) {
		failed = append(failed, g.Open())
	}
	return errors.Join(failed...)
}

func (k *Kafka) chosen(brokers []int) []*gate {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(brokers) == 0 {
		return append([]*gate(nil), k.gates...)
	}
	chosen := make([]*gate, len(brokers))
	for i, broker := range brokers {
		chosen[i] = k.gates[broker]
	}
	return chosen
}

// Close ends the cluster. Its records are gone.
func (k *Kafka) Close() {
	k.Down() // nobody is told to have left from here on
	k.departures.close()
	k.cluster.Close()
}
