package consume

import (
	"context"

	"github.com/IBM/sarama"
	"github.com/sirupsen/logrus"

	"fintrans/internal/kafka"
)

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
	for _, client := range []*sarama.Client{&made.Probe, &made.Client, &made.Fetch} {
		if *client != nil {
			continue
		}
		var err error
		if *client, err = kafka.Connect(ctx, s, cfg, log, tick); err != nil {
			if probe == nil && made.Probe != nil {
				_ = made.Probe.Close()
			}
			made.Close()
			return Clients{}, err
		}
	}
	return made, nil
}

// Close closes the group's own clients, not the probe. Run does it as well.
func (c Clients) Close() {
	for _, client := range []sarama.Client{c.Client, c.Fetch} {
		if client != nil {
			_ = client.Close()
		}
	}
}
