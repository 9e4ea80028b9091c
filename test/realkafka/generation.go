// Package realkafka runs Apache Kafka: its brokers as child processes on loopback ports, from the
// jars that Maven Central has of it.
package realkafka

// Generation is a line of Apache Kafka's releases that the services are tested on.
type Generation struct {
	// pom is the folder, below that of the module, whose pom.xml pins the release.
	pom string
	// server is the class that runs a broker, given the file with its properties.
	server string
	// storage is the class that formats the directory of a broker.
	storage string
}

// Kafka4 is the newest: KRaft alone, and none of the oldest versions of the protocol's requests.
var Kafka4 = Generation{pom: "kafka-4", server: "kafka.Kafka", storage: "kafka.tools.StorageTool"}
