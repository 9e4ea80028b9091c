package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"fintrans/demo/embedded"
	"fintrans/demo/ledger"
	"fintrans/internal/transaction"
)

const (
	// What the topics of the embedded Kafka are made with, as the generator makes them.
	partitions = 6
	retention  = 24 * time.Hour
	// answerWithin is how long servers of one's own may take to answer at all.
	answerWithin = 10 * time.Second
)

// servers are a Kafka and an InfluxDB, and how to look into them.
type servers struct {
	brokers []string
	url     string
	topics  *ledger.Topics
	influx  *ledger.Influx
	closing []func() error

	own            bool // the Kafka is somebody's own: others may write to it
	embeddedInflux bool
}

// startServers starts embedded servers where no others are named, and makes sure that both answer. The
// caller closes what is returned, also after an error.
func startServers(ctx context.Context, cfg config) (*servers, error) {
	s := &servers{brokers: cfg.Kafka, url: string(cfg.Influx), own: len(cfg.Kafka) > 0}
	if !s.own {
		if err := s.embedKafka(); err != nil {
			return s, err
		}
	}
	if s.url == "" {
		influx, err := embedded.StartInflux(embedded.InfluxOptions{}) //nolint:contextcheck // listening waits for nothing
		if err != nil {
			return s, err
		}
		s.closing = append(s.closing, influx.Close)
		s.url, s.embeddedInflux = influx.URL(), true
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	topics, err := ledger.OpenTopics(ctx, s.brokers, transaction.Cities())
	if err != nil {
		return s, fmt.Errorf("KAFKA: no broker has answered: %w", err)
	}
	s.topics = topics
	s.closing = append(s.closing, func() error { topics.Close(); return nil })
	if !s.own {
		// The generator would do so, but not before it has made sure for some seconds that no further broker
		// joins the cluster.
		if err := topics.Create(ctx, partitions, retention, transaction.Cities()...); err != nil {
			return s, err
		}
	}
	s.influx = ledger.NewInflux(s.url)
	if err := s.influx.Ping(ctx); err != nil {
		return s, fmt.Errorf("INFLUX: %w", err)
	}
	return s, nil
}

// embedKafka starts a broker.
func (s *servers) embedKafka() error {
	kafka, err := embedded.StartKafka(embedded.KafkaOptions{})
	if err != nil {
		return err
	}
	s.closing = append(s.closing, func() error { kafka.Close(); return nil })
	s.brokers = kafka.Addrs()
	return nil
}

// kafkaText and influxText say where the servers are.
func (s *servers) kafkaText() string {
	if s.own {
		return strings.Join(s.brokers, ",")
	}
	return strings.Join(s.brokers, ",") + " (embedded)"
}

func (s *servers) influxText() string {
	if s.embeddedInflux {
		return s.url + " (embedded)"
	}
	return s.url
}

// close ends what was started, the last first.
func (s *servers) close() error {
	var failed []error
	for i := range s.closing {
		failed = append(failed, s.closing[len(s.closing)-1-i]())
	}
	return errors.Join(failed...)
}
