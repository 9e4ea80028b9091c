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

// An alert that standard output did not take before its session ended is judged
// again in the next: what that one leaves behind decides about the exit status.
func TestAnAlertThatWasStuckIsForgottenWithItsSession(t *testing.T) {
	t.Parallel()
	d := newFixture(t, nil).shard.detector
	d.setStuck("SF", 3, 7)
	if d.unprinted() == nil {
		t.Fatal("a drain that leaves an alert unwritten has to fail")
	}
	d.announce(&session{partitions: 1})
	if err := d.unprinted(); err != nil {
		t.Errorf("a later session has begun, and still: %v", err)
	}
}
