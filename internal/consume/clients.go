package consume

import (
	"context"
	"io"
	"time"

	"github.com/IBM/sarama"
	"github.com/sirupsen/logrus"

	"fintrans/internal/kafka"
)

// fetchTimeout is how long a broker may take to answer a fetch, beside the time that it waits for records. Those before
// Kafka 2.0 slow a client with a quota down by answering seconds later.
const fetchTimeout = 15 * time.Second

// Clients are what a group talks to the brokers through. They are three because a connection is served in order: a
// heartbeat and a commit would wait behind a fetch, which waits for records, and a question behind a join, which
// waits for all members.
type Clients struct {
	// Client is for joining, heartbeats and commits.
	Client sarama.Client
	// Fetch brings the records, as its configuration's Consumer.MaxWaitTime and Fetch.Min say.
	Fetch sarama.Client
	// Probe is for questions: offsets, ends of logs, which topics there are. Several groups may share it.
	Probe sarama.Client
}

// Connect makes the clients as soon as a broker answers; see kafka.Connect. Where there is a probe already, they have
// that one; else it is made as well.
func Connect(ctx context.Context, s kafka.Settings, cfg *sarama.Config, probe sarama.Client, log logrus.FieldLogger, tick func()) (Clients, error) {
	made := Clients{Probe: probe}
	var opened []io.Closer
	for _, one := range []struct {
		client *sarama.Client
		cfg    *sarama.Config
	}{{&made.Probe, cfg}, {&made.Client, membersConfig(*cfg)}, {&made.Fetch, fetchConfig(*cfg)}} {
		if *one.client != nil {
			continue
		}
		var err error
		if *one.client, err = kafka.Connect(ctx, s, one.cfg, log, tick); err != nil {
			kafka.CloseSoon(opened...)
			return Clients{}, err
		}
		opened = append(opened, *one.client)
	}
	return made, nil
}

// membersConfig is for a client that fetches nothing, but perhaps once: see adapter.ConsumeClaim. Heartbeats should not
// wait for that.
func membersConfig(cfg sarama.Config) *sarama.Config {
	cfg.Consumer.Fetch.Default, cfg.Consumer.Fetch.Min, cfg.Consumer.MaxWaitTime = 1, 1, 100*time.Millisecond
	return &cfg
}

// fetchConfig is for a client that has to wait for no rebalance: it finds out sooner that a broker does not answer.
func fetchConfig(cfg sarama.Config) *sarama.Config {
	cfg.Net.ReadTimeout = fetchTimeout
	return &cfg
}

// Close closes the group's own clients, not the probe, and waits for a moment only: see kafka.CloseSoon. Run does it as well.
func (c Clients) Close() { kafka.CloseSoon(c.Client, c.Fetch) }
