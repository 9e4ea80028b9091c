package main

import (
	"io"
	"testing"

	"github.com/IBM/sarama"
	"github.com/prometheus/client_golang/prometheus"

	"fintrans/internal/alert"
	"fintrans/internal/pipeline"
)

// Points that the topic refuses are counted, and what they count is in the next ones; that of the others is not.
func TestPointsThatAreRefusedAreMadeUpFor(t *testing.T) {
	t.Parallel()
	rt := testRuntime(io.Discard)
	records := prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + "_records_total", Help: "x"}, []string{"city"})
	rt.Metrics.MustRegister(records)
	records.WithLabelValues("London").Add(10)
	records.WithLabelValues("SF").Add(3)
	producer := &fakeProducer{refuse: func(attempt int, m *sarama.ProducerMessage) error {
		if p := pointOf(t, m); attempt == 1 && p.City == "London" {
			return sarama.ErrNotLeaderForPartition
		}
		return nil
	}}
	cfg := config{PipelineTopic: "pipeline"}
	r, err := newReporter(cfg, rt)
	if err != nil {
		t.Fatal(err)
	}
	r.producer = producer
	r.report()
	r.sending <- struct{}{} // when that is over
	<-r.sending
	r.report()
	r.sending <- struct{}{}
	counted(t, r.dropped, 1, "dropped points")
	sums := map[string]int64{}
	for _, value := range producer.published() {
		p, reason := pipeline.Parse([]byte(value))
		if reason != alert.None {
			t.Fatalf("%s: %v", value, reason)
		}
		if p.Records != nil {
			sums[p.City] += *p.Records
		}
	}
	if sums["London"] != 10 || sums["SF"] != 3 {
		t.Errorf("the points that arrived add up to %v, want 10 of London and 3 of SF", sums)
	}
}

func pointOf(t *testing.T, m *sarama.ProducerMessage) pipeline.Point {
	t.Helper()
	value, err := m.Value.Encode()
	if err != nil {
		t.Fatal(err)
	}
	p, _ := pipeline.Parse(value)
	return p
}
