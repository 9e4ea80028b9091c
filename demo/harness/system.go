package harness

import (
	"maps"
	"strings"
	"testing"

	"fintrans/demo/embedded"
)

// Servers are a Kafka cluster and an InfluxDB that one case has for itself.
type Servers struct {
	Kafka  Kafka
	Influx Influx
	// Binaries are the directories of services that are not to be those of this checkout.
	Binaries map[string]string
}

// Kafka is a cluster that can be taken away.
type Kafka interface {
	// Addrs are host:port of the brokers.
	Addrs() []string
	// Down takes the given brokers away, all where none is given, and Up brings them back at the
	// same addresses and with their records.
	Down(brokers ...int)
	Up(brokers ...int) error
}

// Influx is an InfluxDB that can be taken away and made to fail.
type Influx interface {
	URL() string
	// Stop ends the server, Start brings it back at the same address with its data.
	Stop() error
	Start() error
	// Fail makes requests fail until it is called with the zero Fault; Failed counts them.
	Fail(embedded.Fault)
	Failed() int64
}

// Need is what a case needs of the servers.
type Need struct {
	// Brokers is the number of brokers; 0 is one.
	Brokers int
	// Partitions of each of the five cities' topics; 0 is 6, NoTopics none at all.
	Partitions int32
}

// NoTopics as the number of partitions leaves the topics to the case.
const NoTopics = -1

// Starter starts servers that end with the test.
type Starter func(t testing.TB, need Need) Servers

// Embedded is the Starter of servers in the process of the test.
func Embedded(t testing.TB, need Need) Servers {
	t.Helper()
	kafka, err := embedded.StartKafka(embedded.KafkaOptions{Brokers: need.Brokers})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafka.Close)
	influx, err := embedded.StartInflux(embedded.InfluxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := influx.Close(); err != nil {
			t.Errorf("close InfluxDB: %v", err)
		}
	})
	return Servers{Kafka: kafka, Influx: influx}
}

// System is a whole fintrans: servers, and the services that a case starts on them.
type System struct {
	Servers
	t     testing.TB
	topic topicClient
}

// NewSystem starts the servers that the case needs and creates the topics.
func NewSystem(t testing.TB, start Starter, need Need) *System {
	t.Helper()
	servers := start(t, need)
	s := &System{Servers: servers, t: t, topic: newTopicClient(t, servers.Kafka.Addrs())}
	switch need.Partitions {
	case NoTopics:
	case 0:
		s.CreateTopics(6, Cities()...)
	default:
		s.CreateTopics(need.Partitions, Cities()...)
	}
	return s
}

// Start starts a service on the servers, with the settings and options given beyond their addresses.
func (s *System) Start(service string, env Env, options ...Options) *Process {
	s.t.Helper()
	all := Env{"BROKER": strings.Join(s.Kafka.Addrs(), ",")}
	if service == "influx-ingest" {
		all["INFLUX_API"] = s.Influx.URL()
	}
	maps.Copy(all, env)
	chosen := append(options, Options{})[0]
	if chosen.Binaries == "" {
		chosen.Binaries = s.Binaries[service]
	}
	return Start(s.t, service, all, chosen)
}
