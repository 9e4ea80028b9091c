// Command bare is a consumer group that only counts: what the Kafka library costs alone, and so the ceiling of
// every consumer that takes its records from the library's. A broker collects records for it as long as for the
// laundering-detector, and it asks for as much at a time as the library does, which takes memory, unless it is told
// otherwise. At /metrics it says how many records it has read; it prints the value of each record that ends with the
// suffix ALERT.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/IBM/sarama"

	"fintrans/internal/kafka"
	"fintrans/internal/service"
	"fintrans/internal/transaction"
)

// config has the names and, where the services have it too, the meaning of their settings.
type config struct {
	kafka.Settings `embed:""`

	KafkaGroup kafka.Group         `name:"kafka-group" default:"bare" help:"Consumer group."`
	MaxWait    service.Duration    `name:"max-wait" default:"250ms" help:"How long a broker collects records for a fetch."`
	FetchMin   service.Count       `name:"fetch-min" default:"1" help:"Bytes for which a fetch need not wait."`
	FetchBytes service.Count       `name:"fetch-bytes" default:"0" help:"Bytes to ask for per partition; as many as the library does where 0."`
	Alert      string              `name:"alert" help:"Print values that end with this; none where empty."`
	Version    service.VersionFlag `help:"Print the version and exit."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx)
	told := ctx.Err() != nil
	stop()
	if err != nil && !told {
		_, _ = fmt.Fprintln(os.Stderr, "bare:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	var cfg config
	answer, err := service.ReadSettings("bare", "A consumer group that only counts.", &cfg, os.Args[1:], os.LookupEnv)
	if err != nil || answer != "" {
		_, _ = io.WriteString(os.Stdout, answer)
		return err
	}
	conf, err := cfg.Config("bare")
	if err != nil {
		return err
	}
	conf.Consumer.MaxWaitTime = cfg.MaxWait.Duration()
	conf.Consumer.Fetch.Min = int32(cfg.FetchMin)
	if cfg.FetchBytes > 0 {
		conf.Consumer.Fetch.Default = int32(cfg.FetchBytes)
	}
	conf.Consumer.Offsets.AutoCommit.Enable = true
	group, err := sarama.NewConsumerGroup(cfg.Broker, string(cfg.KafkaGroup), conf)
	if err != nil {
		return err
	}
	c := &counter{alert: []byte(cfg.Alert)}
	if err := c.serve(ctx); err != nil {
		return err
	}
	go func() {
		for err := range group.Errors() {
			_, _ = fmt.Fprintln(os.Stderr, "bare:", err)
		}
	}()
	for ctx.Err() == nil {
		if err := group.Consume(ctx, transaction.Cities(), c); err != nil {
			return errors.Join(err, group.Close())
		}
	}
	return group.Close()
}

// counter is the handler of the group.
type counter struct {
	records atomic.Int64
	alert   []byte
}

// batch is how many records are counted at once, so that counting costs nothing.
const batch = 64

// Setup has nothing to prepare.
func (c *counter) Setup(sarama.ConsumerGroupSession) error { return nil }

// Cleanup has nothing to put away.
func (c *counter) Cleanup(sarama.ConsumerGroupSession) error { return nil }

// ConsumeClaim counts the records of one partition.
func (c *counter) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	n := int64(0)
	for m := range claim.Messages() {
		if len(c.alert) > 0 && bytes.HasSuffix(m.Value, c.alert) {
			if _, err := fmt.Fprintf(os.Stdout, "%s\n", m.Value); err != nil {
				return err
			}
		}
		if n++; n == batch || len(claim.Messages()) == 0 {
			c.records.Add(n)
			session.MarkMessage(m, "")
			n = 0
		}
	}
	return nil
}

// serve tells the count as a service would.
func (c *counter) serve(ctx context.Context) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, "bare_records_total %d\n", c.records.Load())
	})}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	go func() { _ = server.Serve(listener) }()
	_, err = fmt.Fprintf(os.Stderr, "msg=listening listen=%s\n", listener.Addr())
	return err
}
