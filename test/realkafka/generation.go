// Package realkafka runs Apache Kafka: its brokers as child processes on loopback ports, from the
// jars that Maven Central has of it.
package realkafka

// Generation is a line of Apache Kafka's releases that the services are tested on.
type Generation struct {
	// pom is the folder, below that of the module, whose pom.xml pins the release.
	pom string
	// server is the class that runs a broker, given the file with its properties.
	server string
	// storage is the class that formats the directory of a broker; empty with a zooKeeper.
	storage string
	// zooKeeper is the class of the server that the brokers keep their metadata in; empty: they do so themselves.
	zooKeeper string
	// authorizer is the class that asks for rights, where that is wanted.
	authorizer string
	// logging is how the brokers' log is configured.
	logging logging
}

// String is the folder of the pom, which names the line.
func (g Generation) String() string { return g.pom }

// standardAuthorizer is that of brokers that keep their metadata themselves.
const standardAuthorizer = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"

// Kafka4 is the newest: KRaft alone, and none of the oldest versions of the protocol's requests.
var Kafka4 = Generation{pom: "kafka-4", server: "kafka.Kafka", storage: "kafka.tools.StorageTool", authorizer: standardAuthorizer, logging: log4j2}

// Kafka39 is the last line before it, in which the oldest versions of the protocol's requests are still known.
var Kafka39 = Generation{pom: "kafka-3.9", server: "kafka.Kafka", storage: "kafka.tools.StorageTool", authorizer: standardAuthorizer, logging: log4j1}

// Kafka24 is what DC/OS's catalog installs: with ZooKeeper.
var Kafka24 = Generation{
	pom: "kafka-2.4", server: "kafka.Kafka", logging: log4j1,
	zooKeeper: "org.apache.zookeeper.server.ZooKeeperServerMain", authorizer: "kafka.security.authorizer.AclAuthorizer",
}
