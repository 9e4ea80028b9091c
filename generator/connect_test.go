package main

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/IBM/sarama"

	"fintrans/internal/produce"
)

// stuckClient knows nothing but one partition of each topic, and closes when a broker answers at last.
type stuckClient struct {
	sarama.Client
	answers time.Duration
	closed  atomic.Bool
}

func (c *stuckClient) InitProducerID() (*sarama.InitProducerIDResponse, error) {
	return &sarama.InitProducerIDResponse{}, nil
}

func (c *stuckClient) Partitions(string) ([]int32, error)         { return []int32{0}, nil }
func (c *stuckClient) WritablePartitions(string) ([]int32, error) { return nil, nil }
func (c *stuckClient) RefreshMetadata(...string) error            { return sarama.ErrOutOfBrokers }

func (c *stuckClient) Close() error {
	<-time.After(c.answers)
	c.closed.Store(true)
	return nil
}

// What is acknowledged stays so: a broker that is frozen must not use up the time in which the service has to end.
func TestClosingDoesNotWaitForAFrozenBroker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := &stuckClient{answers: time.Minute}
		rt, _ := testRuntime()
		p, err := produce.Open(client, cities, maxInFlight, rt.Log)
		if err != nil {
			t.Fatal(err)
		}
		(&link{client, p}).close()
		if client.closed.Load() {
			t.Error("it waited for the broker")
		}
		<-time.After(time.Hour) // for the client to end
	})
}
