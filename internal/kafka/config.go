package kafka

import (
	"fmt"
	"time"

	"github.com/IBM/sarama"
)

// RebalanceTimeout is the longest that the members of a consumer group may take
// to hand their partitions over. A service that drains has to be done before.
const RebalanceTimeout = 20 * time.Second

// The other timeouts. The session is the shortest that brokers allow by
// default, so that the partitions of a killed instance move within seconds. A
// request to join is answered when the last member has joined, so the wait for
// an answer has to be longer than RebalanceTimeout.
const (
	sessionTimeout    = 6 * time.Second
	heartbeatInterval = 2 * time.Second
	dialTimeout       = 10 * time.Second
	readTimeout       = 30 * time.Second
	// All others wait for a member that is told to join once more, because one has come or gone meanwhile.
	rejoinAfter = 250 * time.Millisecond
)

// Config returns a checked sarama configuration for the settings, which the
// caller may refine for what it does. Its errors are one line, name the setting
// and contain no secret.
func (s Settings) Config(clientID string) (*sarama.Config, error) {
	cfg := sarama.NewConfig()
	cfg.ClientID = clientID
	cfg.Version = sarama.DefaultVersion
	if s.KafkaVersion.KafkaVersion != (sarama.KafkaVersion{}) {
		cfg.Version = s.KafkaVersion.KafkaVersion
	}
	cfg.Net.DialTimeout = dialTimeout
	cfg.Net.ReadTimeout = readTimeout

	// A new partition or a moved leader is seen within half a minute. Few
	// retries: our own loops go on trying, and they have to tick.
	cfg.Metadata.RefreshFrequency = 30 * time.Second
	cfg.Metadata.Retry.Max = 2
	cfg.Metadata.AllowAutoTopicCreation = false // brokers would pick the number of partitions

	configureConsumer(cfg)
	cfg.Consumer.Group.InstanceId = string(s.KafkaGroupInstanceID)
	if s.KafkaGroupInstanceID != "" && !cfg.Version.IsAtLeast(sarama.V2_3_0_0) {
		return nil, fmt.Errorf("KAFKA_GROUP_INSTANCE_ID %q is set but KAFKA_VERSION is %s: expected 2.3.0 or later", s.KafkaGroupInstanceID, cfg.Version)
	}
	if err := s.configureTLS(cfg); err != nil {
		return nil, err
	}
	if err := s.configureSASL(cfg); err != nil {
		return nil, err
	}
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("settings of Kafka: %w", err)
	}
	return cfg, nil
}

func configureConsumer(cfg *sarama.Config) {
	consumer := &cfg.Consumer
	consumer.Return.Errors = true
	consumer.IsolationLevel = sarama.ReadCommitted
	consumer.Offsets.Initial = sarama.OffsetOldest
	consumer.Offsets.AutoCommit.Enable = false // what is done is committed, not what is marked by a clock
	consumer.Group.Session.Timeout = sessionTimeout
	consumer.Group.Heartbeat.Interval = heartbeatInterval
	consumer.Group.Rebalance.Timeout = RebalanceTimeout
	consumer.Group.Rebalance.Retry.Backoff = rejoinAfter
	// It gives partition p of all topics to one member, and leaves what members have with them.
	consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{newAssignment()}
}
