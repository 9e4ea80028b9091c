package realkafka

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// properties are what a broker is started with. Whatever is not named here has Apache Kafka's default.
type properties map[string]string

// kraft returns the properties of one of the brokers, each of which is a controller as well.
func kraft(b *broker, all []*broker) properties {
	voters := make([]string, len(all))
	for i, voter := range all {
		voters[i] = fmt.Sprintf("%d@127.0.0.1:%d", voter.id, voter.controller)
	}
	replicas := strconv.Itoa(min(3, len(all)))
	return properties{
		"process.roles":                    "broker,controller",
		"node.id":                          strconv.Itoa(b.id),
		"controller.quorum.voters":         strings.Join(voters, ","),
		"controller.listener.names":        "CONTROLLER",
		"listeners":                        fmt.Sprintf("PLAINTEXT://%s,CONTROLLER://127.0.0.1:%d", b.addr(), b.controller),
		"log.dirs":                         filepath.Join(b.dir, "data"),
		"offsets.topic.num.partitions":     "4", // of 50 by default: a group's first start waits for all of them
		"offsets.topic.replication.factor": replicas,
		// For producers with transactions; by default it takes three brokers.
		"transaction.state.log.replication.factor": replicas,
		"transaction.state.log.min.isr":            "1",
		// A rebalance of the tests need not wait 3 s for members that may come.
		"group.initial.rebalance.delay.ms": "0",
		// A broker that was killed may not come back before its session has run out: of 9 s by default, and a start takes
		// three. It beats every 2 s as by default: each beat is given up after the time between two, and with less of it
		// a broker on a very busy machine would not get one through.
		"broker.session.timeout.ms": "6000",
		// A broker that is not let in within this time ends itself: after a minute by default, which is too little there.
		"initial.broker.registration.timeout.ms": milliseconds(startTime),
	}
}

// zooKeeperSession is what the brokers' sessions last when they are killed: about what a start takes.
const zooKeeperSession = "2000"

// withZooKeeper returns the properties of one of the brokers of a cluster that keeps its metadata in ZooKeeper.
func withZooKeeper(b *broker, all []*broker, zooKeeper string) properties {
	return properties{
		"broker.id":                                strconv.Itoa(b.id),
		"zookeeper.connect":                        zooKeeper,
		"zookeeper.session.timeout.ms":             zooKeeperSession,
		"zookeeper.connection.timeout.ms":          milliseconds(startTime), // or it is that of the session, and the broker ends itself
		"listeners":                                "PLAINTEXT://" + b.addr(),
		"log.dirs":                                 filepath.Join(b.dir, "data"),
		"offsets.topic.num.partitions":             "4",
		"offsets.topic.replication.factor":         strconv.Itoa(min(3, len(all))),
		"transaction.state.log.replication.factor": strconv.Itoa(min(3, len(all))),
		"transaction.state.log.min.isr":            "1",
		"group.initial.rebalance.delay.ms":         "0",
	}
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// write writes them as a file that Java reads.
func (p properties) write(path string) error {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(p)) {
		fmt.Fprintf(&text, "%s=%s\n", name, p[name])
	}
	return os.WriteFile(path, []byte(text.String()), 0o600)
}
