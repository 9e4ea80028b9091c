// Command influx-ingest writes the transactions of all cities to InfluxDB,
// each as one point, and commits to Kafka what InfluxDB has accepted. Where an
// alert topic is set it does the same with alerts, beside it.
package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"

	"fintrans/internal/consume"
	"fintrans/internal/kafka"
	"fintrans/internal/service"
)

const (
	name   = "influx-ingest"
	prefix = "influx_ingest"
)

// topicPatience is for how long the topic of a stream beside the money may be missing before /ready says so:
// the service that creates it may be deployed after this one is ready.
const topicPatience = 60 * time.Second

func main() {
	service.Main(service.App[config]{
		Name:        name,
		Description: "Writes the transactions of all cities to InfluxDB, each as one point.",
		Serve:       serve,
	})
}

func serve(ctx context.Context, cfg config, rt *service.Runtime) error {
	made, err := newSchema(cfg, rt.Log)
	if err != nil {
		return err
	}
	defer made.close()
	of := money(cfg, rt)
	sink, closeSink, err := newSink(cfg, rt, made, of)
	if err != nil {
		return err
	}
	defer closeSink()
	background, release := context.WithCancel(context.WithoutCancel(ctx))
	defer release()
	// The database is made at once: dashboards want it before the first transaction comes.
	go sink.prepare(background)
	go report(background, cfg, rt, sink)

	clients, err := connect(ctx, cfg, rt)
	if err != nil {
		return ended(ctx, err)
	}
	return consumeAll(ctx, cfg, rt, of, sink, clients)
}

// consumeAll consumes the money and what is beside it until ctx ends, and drains. It closes the clients.
func consumeAll(ctx context.Context, cfg config, rt *service.Runtime, of stream, sink *sink, clients consume.Clients) error {
	defer kafka.CloseSoon(clients.Probe)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var others []<-chan error
	for _, other := range beside(cfg, rt) {
		others = append(others, serveBeside(ctx, cfg, rt, other, clients.Probe, sink.schema))
	}
	err := consumeStream(ctx, cfg, rt, of, sink, clients)
	stop() // where the money has ended by an error
	for _, other := range others {
		err = both(err, <-other)
	}
	return err
}

// serveBeside serves a stream beside the money, and returns at once. Whatever happens to it, the money goes on;
// its error comes when it has drained.
func serveBeside(ctx context.Context, cfg config, rt *service.Runtime, of stream, probe sarama.Client, made *schema) <-chan error {
	result := make(chan error, 1)
	go func() {
		sink, closeSink, err := newSink(cfg, rt, made, of)
		if err != nil {
			result <- err
			return
		}
		defer closeSink()
		clients, err := connectBeside(ctx, cfg, rt, of, probe)
		if err != nil {
			result <- ended(ctx, err)
			return
		}
		err = consumeStream(ctx, cfg, rt, of, sink, clients)
		if err != nil && of.lossy {
			rt.Log.WithError(err).WithField("stream", of.name).Info("the end of a stream that may lose something")
			err = nil
		}
		result <- err
	}()
	return result
}

// consumeStream consumes until ctx ends, and drains. It closes the group's clients.
func consumeStream(ctx context.Context, cfg config, rt *service.Runtime, of stream, sink *sink, clients consume.Clients) error {
	i := newIngest(cfg, rt, of, clients.Probe, sink)
	patience := time.Duration(0)
	if of.name != "" {
		patience = topicPatience
	}
	g, err := consume.New(consume.Config{
		Group:    of.group,
		Topics:   of.topics,
		Prefix:   of.prefix,
		Name:     of.name,
		Patience: patience,
		Runtime:  rt,
		Clients:  clients,
	})
	if err != nil {
		clients.Close()
		return err
	}
	if err := g.Run(ctx, i); err != nil {
		return err
	}
	return i.unwritten()
}

// both makes one error, of one line, of two.
func both(first, second error) error {
	if first != nil && second != nil {
		return fmt.Errorf("%w; %w", first, second)
	}
	return errors.Join(first, second)
}
