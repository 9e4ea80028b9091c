package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"

	"fintrans/internal/kafka"
	"fintrans/internal/pipeline"
	"fintrans/internal/service"
)

// reporter tells the pipeline topic now and then how the detector is doing. Nothing waits for it: what cannot
// be sent within the time until the next points is dropped, and counted.
type reporter struct {
	topic     string
	cfg       config
	rt        *service.Runtime
	conf      *sarama.Config
	collector *pipeline.Collector
	dropped   prometheus.Counter
	throttle  *service.Throttle
	sending   chan struct{} // held by the points that are under way; guards the collector
	gone      chan struct{} // has a token when the topic seems to be gone
	client    sarama.Client
	producer  sarama.SyncProducer
	stop      context.CancelFunc // ends run
	ended     chan struct{}      // closed when run has returned
}

// newReporter returns nil where no pipeline topic is set.
func newReporter(cfg config, rt *service.Runtime) (*reporter, error) {
	if cfg.PipelineTopic == "" {
		return nil, nil
	}
	conf, err := cfg.Config(name)
	if err != nil {
		return nil, err
	}
	conf.Producer.RequiredAcks = sarama.WaitForLocal
	conf.Producer.Retry.Max = 0 // the next points come soon
	conf.Producer.Return.Successes = true
	conf.Producer.Return.Errors = true
	r := &reporter{
		topic: string(cfg.PipelineTopic), cfg: cfg, rt: rt, conf: conf,
		collector: pipeline.NewCollector(pipeline.Source{
			Service: name,
			Prefix:  prefix,
			Records: []string{prefix + "_records_total"},
			Retries: []string{prefix + "_publish_retries_total"},
			Window:  true,
		}, rt.Metrics, string(cfg.KafkaGroupInstanceID)),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: prefix + "_pipeline_dropped_total", Help: "Points for the pipeline topic that could not be sent; the next ones count what they did.",
		}),
		throttle: service.NewThrottle(10 * time.Minute),
		sending:  make(chan struct{}, 1),
		gone:     make(chan struct{}, 1),
	}
	rt.Metrics.MustRegister(r.dropped)
	return r, nil
}

// start has run begin. The caller closes the reporter.
func (r *reporter) start(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	r.stop, r.ended = cancel, make(chan struct{})
	go func() {
		defer close(r.ended)
		r.run(ctx)
	}()
}

// Close gives up what is under way. It may have to wait for brokers: see kafka.CloseSoon.
func (r *reporter) Close() error {
	r.stop()
	<-r.ended
	return closeBoth(r.producer, r.client)
}

// run reports until ctx ends.
func (r *reporter) run(ctx context.Context) {
	loop := r.rt.Health.Loop("pipeline")
	defer loop.Done()
	client, err := kafka.Connect(ctx, r.cfg.Settings, r.conf, r.rt.Log, loop.Tick)
	if err != nil {
		return
	}
	r.client = client
	topics := kafka.Topics{Names: []string{r.topic}, Partitions: 1}
	if topics.Ensure(ctx, client, r.rt.Log, loop.Tick) != nil {
		return
	}
	if r.producer, err = sarama.NewSyncProducerFromClient(client); err != nil {
		r.rt.Log.WithError(err).Error("nothing is reported to the pipeline topic")
		return
	}
	for loop.Sleep(ctx, pipeline.Every) == nil {
		select {
		case <-r.gone:
			if topics.Ensure(ctx, client, r.rt.Log, loop.Tick) != nil {
				return
			}
		default:
		}
		r.report()
	}
}

// report sends the points of this moment, unless those before are still under way.
func (r *reporter) report() {
	select {
	case r.sending <- struct{}{}:
	default:
		r.dropped.Inc()
		return
	}
	points, err := r.collector.Collect(time.Now())
	if err != nil {
		r.rt.Log.WithError(err).Debug("pipeline")
		<-r.sending
		return
	}
	messages := make([]*sarama.ProducerMessage, len(points))
	for i, p := range points {
		messages[i] = &sarama.ProducerMessage{Topic: r.topic, Value: sarama.ByteEncoder(p.Encode()), Metadata: i}
	}
	go func() {
		defer func() { <-r.sending }()
		unsent, err := unsentOf(messages, r.producer.SendMessages(messages))
		for i, p := range points {
			if !unsent[i] {
				r.collector.Sent(p)
			}
		}
		if err == nil {
			return
		}
		r.dropped.Add(float64(len(unsent)))
		r.complain(err)
		if errors.Is(err, sarama.ErrUnknownTopicOrPartition) {
			signal(r.gone)
		}
	}()
}

// complain says why points are dropped, each reason every ten minutes at most.
func (r *reporter) complain(err error) {
	reason := kafka.Explain(fmt.Errorf("topic %s: %w", r.topic, err), r.conf)
	if held, ok := r.throttle.Allow(reason); ok {
		r.rt.Log.WithFields(logrus.Fields{"reason": reason, "held_back": held}).Warn("points for the pipeline topic are dropped")
	}
}
