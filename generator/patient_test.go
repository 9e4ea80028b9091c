package main

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/IBM/sarama"
	"github.com/sirupsen/logrus"
)

// moodyClient fails as often as it is told.
type moodyClient struct {
	sarama.Client
	failures int
	asked    int
}

func (c *moodyClient) answer() error {
	if c.asked++; c.asked <= c.failures {
		return sarama.ErrOutOfBrokers
	}
	return nil
}

func (c *moodyClient) Leader(string, int32) (*sarama.Broker, error) {
	return sarama.NewBroker("127.0.0.1:9092"), c.answer()
}
func (c *moodyClient) Partitions(string) ([]int32, error)  { return []int32{0, 1}, c.answer() }
func (c *moodyClient) RefreshMetadata(...string) error     { return c.answer() }
func (c *moodyClient) Closed() bool                        { return false }
func quiet() logrus.FieldLogger                            { l := logrus.New(); l.SetOutput(io.Discard); return l }
func (c *moodyClient) patient(ctx context.Context) patient { return patient{c, ctx, quiet()} }

func TestPatientAsksUntilItKnows(t *testing.T) {
	t.Parallel()
	for name, ask := range map[string]func(patient) error{
		"leader":     func(p patient) error { _, err := p.Leader("London", 3); return err },
		"partitions": func(p patient) error { _, err := p.Partitions("London"); return err },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client := &moodyClient{failures: 10_000}
				start := time.Now()
				if err := ask(client.patient(t.Context())); err != nil || client.asked != 10_001 {
					t.Errorf("got error %v after asking %d times", err, client.asked)
				}
				if waited := time.Since(start); waited < 2*time.Hour {
					t.Errorf("asked 10,000 times within %s", waited)
				}
			})
		})
	}
}

func TestPatienceEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		client := &moodyClient{failures: 1 << 30}
		done := make(chan error, 1)
		go func() {
			_, err := client.patient(ctx).Leader("London", 3)
			done <- err
		}()
		<-time.After(time.Hour)
		cancel()
		if err := <-done; !errors.Is(err, sarama.ErrOutOfBrokers) {
			t.Errorf("got error %v", err)
		}
	})
}

func TestPatientHidesAFailedRefresh(t *testing.T) {
	t.Parallel()
	client := &moodyClient{failures: 1}
	if err := client.patient(t.Context()).RefreshMetadata("London"); err != nil || client.asked != 1 {
		t.Errorf("got error %v after asking %d times", err, client.asked)
	}
}
