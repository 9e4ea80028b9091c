package consume

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"

	"fintrans/internal/kafka"
	"fintrans/internal/service"
)

// Reason is why a record is skipped.
type Reason interface {
	// String is the reason as a metric's label.
	String() string
	// Help says what is wrong with the record and what was expected.
	Help() string
}

// BadRecords counts and logs the records that are skipped. Both consumers skip
// the same ones. It is safe for concurrent use.
type BadRecords struct {
	log      logrus.FieldLogger
	throttle *service.Throttle
	counts   *prometheus.CounterVec
}

// NewBadRecords registers the counter prefix_bad_records_total, with every
// topic and reason at zero.
func NewBadRecords[R Reason](prefix string, topics []string, reasons []R, rt *service.Runtime) *BadRecords {
	b := &BadRecords{
		log:      rt.Log,
		throttle: service.NewThrottle(10 * time.Second),
		counts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "_bad_records_total",
			Help: "Records skipped because they are not what the topic is for, by reason.",
		}, []string{"topic", "reason"}),
	}
	for _, topic := range topics {
		for _, reason := range reasons {
			b.counts.WithLabelValues(topic, reason.String())
		}
	}
	rt.Metrics.MustRegister(b.counts)
	return b
}

// Skip counts one bad record, and logs where it is unless one like it was
// logged a moment ago. What the record says is not logged: it may be anything.
func (b *BadRecords) Skip(topic string, partition int32, record *kafka.Record, reason Reason) {
	b.counts.WithLabelValues(topic, reason.String()).Inc()
	held, ok := b.throttle.Allow(topic + " " + reason.String())
	if !ok {
		return
	}
	b.log.WithFields(logrus.Fields{
		"topic": topic, "partition": partition, "offset": record.Offset,
		"reason": reason.String(), "bytes": len(record.Value), "held_back": held,
	}).Warn("record skipped: " + reason.Help())
}
