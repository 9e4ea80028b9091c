package main

import (
	"fmt"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"github.com/sirupsen/logrus"

	"fintrans/internal/consume"
	"fintrans/internal/kafka"
	"fintrans/internal/service"
	"fintrans/internal/transaction"
	"fintrans/internal/window"
)

// pauser stops and resumes the fetching of one partition.
type pauser interface {
	Pause(topic string, partition int32)
	Resume(topic string, partition int32)
}

// detector is the consume.Handler: it gives each session its shards.
type detector struct {
	cfg     config
	rt      *service.Runtime
	probe   sarama.Client
	reader  *kafka.Reader
	group   pauser
	printer *printer
	metrics *metrics

	publisher *publisher    // nil without an alert topic
	alerts    *kafka.Reader // of the alert topic
	bad       *consume.BadRecords
	guard     *service.MemoryGuard
	full      func() bool // whether to take in nothing more for now: the guard's word
	topics    []string

	kept kept // of the session before; of the group's own goroutine

	mu      sync.Mutex
	session *session
	counts  int32  // partitions per topic when a session last judged; 0: none did
	stuck   string // the transaction whose alert is not out although its session is over
	left    string // what of the alerts was not published when the last session ended
}

func newDetector(cfg config, rt *service.Runtime, probe sarama.Client) (*detector, error) {
	d := &detector{
		cfg:     cfg,
		rt:      rt,
		probe:   probe,
		reader:  kafka.NewReader(probe),
		printer: newPrinter(rt),
		bad:     consume.NewBadRecords(prefix, transaction.Cities(), transaction.Reasons(), rt),
		guard:   service.NewMemoryGuard(),
		topics:  transaction.Cities(),
	}
	d.full = d.guard.Full
	d.metrics = newMetrics(d)
	d.alerts = kafka.NewReader(probe)
	var err error
	if d.publisher, err = newPublisher(cfg, rt, d.metrics.publishRetries.Inc); err != nil {
		return nil, err
	}
	d.reader.Missing = d.missing
	d.reader.Retry = func(topic string, partition int32, err error) {
		rt.Log.WithError(err).WithFields(logrus.Fields{"topic": topic, "partition": partition}).
			Debug("reading back: trying again")
	}
	rt.Ready.Check("memory", d.guard.Reason)
	return d, nil
}

// windowConfig is how each partition number's window judges.
func (d *detector) windowConfig() window.Config {
	return window.Config{
		Threshold: uint64(d.cfg.AlertThreshold),
		Length:    d.cfg.AlertWindow.Milliseconds(),
		Every:     d.cfg.AlertRepeat == repeatEvery,
	}
}

// latest is the time of the newest transaction that is not too far ahead, in ms since 1970.
func (d *detector) latest() int64 {
	return time.Now().Add(d.cfg.MaxAhead.Duration()).UnixMilli()
}

// missing says that Kafka deleted records while, or before, they were read back.
func (d *detector) missing(topic string, partition int32, from, to int64) {
	d.metrics.incomplete.Inc()
	d.rt.Log.WithFields(logrus.Fields{"topic": topic, "partition": partition, "from": from, "to": to}).
		Warn("Kafka no longer has records that are read back: sums are too low until a window's length has passed")
}

// setStuck notes a transaction whose alert was not written before its session ended.
func (d *detector) setStuck(topic string, partition int32, offset int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stuck = fmt.Sprintf("%s/%d offset %d", topic, partition, offset)
}

// unprinted is the error of a drain that left an alert unwritten.
func (d *detector) unprinted() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stuck == "" {
		return nil
	}
	return fmt.Errorf("standard output did not take the alert of %s: from there on the partition will be read again", d.stuck)
}

// unpublished is the error of a drain that left alerts unpublished.
func (d *detector) unpublished() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.left == "" {
		return nil
	}
	return fmt.Errorf("topic %s did not take all alerts that are out; what set them off will be read again, and they are repeated: %s",
		d.cfg.AlertsTopic, d.left)
}

func (d *detector) current() *session {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.session
}
