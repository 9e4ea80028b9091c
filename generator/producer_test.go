package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/sirupsen/logrus"
	"go.uber.org/goleak"

	"fintrans/internal/produce"
	"fintrans/internal/service"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func testRuntime() (*service.Runtime, *strings.Builder) {
	var out strings.Builder
	log := logrus.New()
	log.SetOutput(&out)
	return service.NewRuntime(name, log, io.Discard), &out
}

// testConfig is the default configuration with a seed, for n transactions.
func testConfig(n uint64) config {
	return config{
		GenCount: service.Count(n), GenSeed: 7, GenAccounts: 1000, GenCityWeights: cityWeights{1, 1, 1, 1, 1},
		RingShare: 0.01, RingTotal: 20_000,
	}
}

// fakeProducer answers each record, once it is flushed, as it is told, in a batch of its own; or keeps it.
type fakeProducer struct {
	answer  func(topic int, r *produce.Record) error
	flushed chan *fakeRecord
	settled chan *produce.Batch
	done    chan struct{}
	limit   int64 // records that are not released
	held    atomic.Int64
	open    []*fakeRecord
}

type fakeRecord struct {
	produce.Record
	topic int
}

// errKeep is what an answer returns for a record that is not acknowledged at all.
var errKeep = errors.New("keep")

func newFakeProducer(answer func(topic int, r *produce.Record) error) *fakeProducer {
	p := &fakeProducer{
		answer: answer, flushed: make(chan *fakeRecord, maxInFlight),
		settled: make(chan *produce.Batch), done: make(chan struct{}), limit: maxInFlight,
	}
	go p.run()
	return p
}

func (p *fakeProducer) run() {
	for {
		select {
		case r := <-p.flushed:
			b := &produce.Batch{Topic: r.topic, Name: cities[r.topic], Times: []time.Time{r.Time}, Amount: r.Amount}
			if b.Err = p.answer(r.topic, &r.Record); errors.Is(b.Err, errKeep) {
				continue
			}
			select {
			case p.settled <- b:
			case <-p.done:
			}
		case <-p.done:
			return
		}
	}
}

func (p *fakeProducer) Append(topic int, r *produce.Record) bool {
	if p.held.Load() == p.limit {
		return false
	}
	p.held.Add(1)
	kept := &fakeRecord{*r, topic}
	kept.Key, kept.Value = bytes.Clone(r.Key), bytes.Clone(r.Value)
	p.open = append(p.open, kept)
	return true
}

func (p *fakeProducer) Flush() {
	for _, r := range p.open {
		p.flushed <- r
	}
	p.open = nil
}

func (p *fakeProducer) Settled() <-chan *produce.Batch { return p.settled }
func (p *fakeProducer) Release(b *produce.Batch)       { p.held.Add(int64(-b.Len())) }
func (p *fakeProducer) Trouble() error                 { return sarama.ErrNotEnoughReplicas }
func (p *fakeProducer) Close()                         { close(p.done) }

// testGenerator sends by way of p.
func testGenerator(cfg config, p producer, rt *service.Runtime) *generator {
	return newGenerator(cfg, p, error.Error, rt)
}

// checkRecord compares a record with the transaction that the plan says.
func checkRecord(topic int, r *produce.Record, want planned) error {
	wantKey := fmt.Sprintf("%d %d", want.Source, want.Target)
	wantValue := fmt.Sprintf("%s %d", wantKey, want.Amount)
	if topic != want.city || string(r.Key) != wantKey || string(r.Value) != wantValue || r.Amount != int64(want.Amount) {
		return fmt.Errorf("got %s %q %q of %d, want %s %q %q", cities[topic], r.Key, r.Value, r.Amount, cities[want.city], wantKey, wantValue)
	}
	if r.Time.IsZero() {
		return errors.New("no timestamp")
	}
	if want.ring == 0 {
		if len(r.Headers) != 0 {
			return fmt.Errorf("got headers %v", r.Headers)
		}
		return nil
	}
	if len(r.Headers) != 2 || string(r.Headers[0].Key) != "ring" || string(r.Headers[0].Value) != strconv.FormatUint(want.ring, 10) ||
		string(r.Headers[1].Key) != "ring-transfers" || string(r.Headers[1].Value) != strconv.Itoa(want.transfers) {
		return fmt.Errorf("got headers %v for ring %d of %d", r.Headers, want.ring, want.transfers)
	}
	return nil
}
