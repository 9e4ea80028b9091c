package main

import (
	"context"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/IBM/sarama"

	"fintrans/internal/consume"
	"fintrans/internal/service"
)

// stuckClient closes when a broker answers at last.
type stuckClient struct{ sarama.Client }

func (stuckClient) Config() *sarama.Config { return sarama.NewConfig() }
func (stuckClient) Closed() bool           { return false }

func (stuckClient) Close() error {
	<-time.After(time.Hour)
	return nil
}

// What was committed stays so: brokers that hang must not use up what lies between the budget of a drain and its limit.
func TestDetectDoesNotWaitForClientsThatDoNotClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(nil)
		clients := consume.Clients{Client: stuckClient{}, Fetch: stuckClient{}, Probe: stuckClient{}}
		start := time.Now()
		err := detect(ctx, cancel, config{}, testRuntime(io.Discard), clients)
		if took := time.Since(start); err != nil || took >= service.DrainLimit-service.DrainBudget {
			t.Errorf("after %s: %v", took, err)
		}
		<-time.After(2 * time.Hour) // for the clients to close
	})
}

// noting notes when it is closed.
type noting func()

func (n noting) Close() error {
	n()
	return nil
}

type closingProducer struct {
	sarama.SyncProducer
	io.Closer
}

func (c closingProducer) Close() error { return c.Closer.Close() }

type closingClient struct {
	sarama.Client
	io.Closer
}

func (c closingClient) Close() error { return c.Closer.Close() }

// What a producer has under way needs its client.
func TestAProducerIsClosedBeforeItsClient(t *testing.T) {
	t.Parallel()
	var closed []string
	note := func(what string) io.Closer { return noting(func() { closed = append(closed, what) }) }
	ended := make(chan struct{})
	close(ended)
	for _, one := range []io.Closer{
		&publisher{stop: func() {}, ended: ended, producer: closingProducer{Closer: note("producer")}, client: closingClient{Closer: note("client")}},
		&reporter{stop: func() {}, ended: ended, producer: closingProducer{Closer: note("producer")}, client: closingClient{Closer: note("client")}},
		&publisher{stop: func() {}, ended: ended, client: closingClient{Closer: note("client alone")}}, // no producer id was given
		&reporter{stop: func() {}, ended: ended}, // no broker was reached
	} {
		if err := one.Close(); err != nil {
			t.Errorf("%T: %v", one, err)
		}
	}
	if want := []string{"producer", "client", "producer", "client", "client alone"}; !slices.Equal(closed, want) {
		t.Errorf("closed %q, want %q", closed, want)
	}
}
