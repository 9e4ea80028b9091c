package kafka

import (
	"errors"
	"fmt"

	"github.com/IBM/sarama"
)

// NumbersProducers returns nil when the brokers give an idempotent producer the id under which it numbers its
// records, or why they do not. It is to be asked before a producer is made: sarama takes a refusal for a success,
// and then sends without numbers, so that a record whose acknowledgement was lost may be in the log twice.
func NumbersProducers(client sarama.Client) error {
	broker := client.LeastLoadedBroker()
	if broker == nil {
		return sarama.ErrOutOfBrokers
	}
	if err := broker.Open(client.Config()); err != nil && !errors.Is(err, sarama.ErrAlreadyConnected) {
		return fmt.Errorf("ask for a producer id: %w", err)
	}
	response, err := broker.InitProducerID(&sarama.InitProducerIDRequest{ProducerID: -1, ProducerEpoch: -1, Version: 1})
	switch {
	case err != nil:
		_ = broker.Close() // the next attempt opens it again
		return fmt.Errorf("ask for a producer id: %w", err)
	case !errors.Is(response.Err, sarama.ErrNoError):
		return fmt.Errorf("ask for a producer id: %w", response.Err)
	}
	return nil
}
