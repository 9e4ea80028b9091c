package main

import (
	"errors"
	"testing"

	"github.com/IBM/sarama"

	"fintrans/internal/consume"
)

// awayClient is a client whose brokers do not answer.
type awayClient struct{ sarama.Client }

func (awayClient) RefreshMetadata(...string) error { return sarama.ErrOutOfBrokers }

// sarama calls Cleanup after a Setup that failed, too.
func TestCleanupAfterASetupThatFailed(t *testing.T) {
	t.Parallel()
	d := newFixture(t, nil).shard.detector
	d.probe = awayClient{}
	s := &consume.Session{}
	if err := d.Setup(s); !errors.Is(err, sarama.ErrOutOfBrokers) {
		t.Fatalf("got %v, want the error of the probe", err)
	}
	d.Cleanup(s)
}
