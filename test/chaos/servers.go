package chaos

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"fintrans/demo/embedded"
	"fintrans/demo/ledger"
	"fintrans/test/realinflux"
	"fintrans/test/realkafka"
)

// The topics beside the cities'.
const (
	alertTopic    = "alerts"
	pipelineTopic = "pipeline"
)

// servers are an Apache Kafka and an InfluxDB, the network in front of them, and the ways to look into them that
// no fault touches.
type servers struct {
	kafka   *realkafka.Cluster
	influx  *realinflux.Server
	front   *embedded.Front // fails for InfluxDB
	network *network
	way     string // where the network to InfluxDB begins, host:port

	money  *ledger.Topics
	alerts *ledger.Topics
	stored *ledger.Influx
}

// listenerOf is the listener of the brokers that a service is told of.
func listenerOf(service string) string { return strings.ToUpper(strings.ReplaceAll(service, "-", "")) }

// startServers starts them. The caller closes what is returned, also after an error.
func startServers(ctx context.Context, generation realkafka.Generation, brokers int) (*servers, error) {
	s := &servers{network: newNetwork()}
	listeners := realkafka.Listeners{Advertise: func(name string, broker int, addr string) (string, error) {
		for _, service := range services() {
			if listenerOf(service) == name {
				return s.network.open(networkTarget{service, broker}, addr)
			}
		}
		return "", fmt.Errorf("no service has the listener %s", name)
	}}
	for _, service := range services() {
		listeners.Names = append(listeners.Names, listenerOf(service))
	}
	var err error
	if s.influx, err = realinflux.Start(ctx, realinflux.Newest); err != nil {
		return s, err
	}
	if s.front, err = realinflux.StartFront(s.influx); err != nil { //nolint:contextcheck // listening waits for nothing
		return s, err
	}
	if s.way, err = s.network.open(networkTarget{Ingest, ToInflux}, strings.TrimPrefix(s.front.URL(), "http://")); err != nil {
		return s, err
	}
	s.kafka, err = realkafka.Start(ctx, realkafka.Options{Generation: generation, Brokers: brokers, Listeners: listeners})
	if err != nil {
		return s, err
	}
	if s.money, err = ledger.OpenTopics(ctx, s.kafka.Addrs(), cities()); err != nil {
		return s, err
	}
	if s.alerts, err = ledger.OpenTopics(ctx, s.kafka.Addrs(), []string{alertTopic}); err != nil {
		return s, err
	}
	s.stored = ledger.NewInflux(s.influx.URL())
	return s, nil
}

// close ends what was started.
func (s *servers) close() error {
	var failed []error
	for _, topics := range []*ledger.Topics{s.money, s.alerts} {
		if topics != nil {
			topics.Close()
		}
	}
	s.network.close()
	if s.front != nil {
		failed = append(failed, s.front.Close())
	}
	if s.kafka != nil {
		failed = append(failed, s.kafka.Close())
	}
	if s.influx != nil {
		failed = append(failed, s.influx.Close())
	}
	return errors.Join(failed...)
}

// brokersFor are the brokers as a service is told of them.
func (s *servers) brokersFor(service string) string {
	return strings.Join(s.kafka.AddrsOf(listenerOf(service)), ",")
}

// logs are the ends of the servers' logs.
func (s *servers) logs() string {
	var logs []string
	if s.kafka != nil {
		logs = append(logs, s.kafka.Logs()...)
	}
	if s.influx != nil {
		logs = append(logs, s.influx.Log())
	}
	return strings.Join(logs, "\n")
}
