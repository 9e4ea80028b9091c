package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"

	"fintrans/internal/service"
)

// sink is InfluxDB as the writers of all sessions know it. It is safe for concurrent use.
type sink struct {
	post     func(ctx context.Context, lines ...[]byte) verdict
	schema   *schema
	metrics  *metrics
	log      logrus.FieldLogger
	throttle *service.Throttle
	trouble  *service.Condition
	holding  atomic.Bool // writes are being tried again
	health   *service.Health
}

// newSink makes the sink of a stream. It talks to nobody yet. The caller calls the function returned when the
// sink is not used any more.
func newSink(cfg config, rt *service.Runtime, made *schema, of stream) (*sink, func(), error) {
	post, err := newPoster(cfg, of.policy, of.writers)
	if err != nil {
		return nil, nil, err
	}
	label := "city"
	var log logrus.FieldLogger = rt.Log
	if of.name != "" {
		label, log = "topic", rt.Log.WithField("stream", of.name)
	}
	s := &sink{
		post:     post.post,
		schema:   made,
		metrics:  newMetrics(rt.Metrics, of.prefix, label, of.topics),
		log:      log,
		throttle: service.NewThrottle(10 * time.Second),
		trouble:  service.NewCondition(30 * time.Second),
		health:   rt.Health,
	}
	rt.Ready.Check(of.named("influx"), s.trouble.Reason)
	return s, post.close, nil
}

// prepare makes database and policies, and tries until that has worked or ctx ends.
func (s *sink) prepare(ctx context.Context) {
	loop := s.health.Loop("schema")
	defer loop.Done()
	for attempt := 1; ctx.Err() == nil; attempt++ {
		err := s.schema.ensure(ctx, 0, loop.Tick)
		if err == nil {
			s.recovered()
			return
		}
		if ctx.Err() == nil {
			s.hold(verdict{kind: unavailable, reason: err.Error()})
			_ = loop.Sleep(ctx, retry.Pause(attempt))
		}
	}
}

// hold notes that points have to wait, and says so now and then.
func (s *sink) hold(v verdict) {
	s.holding.Store(true)
	s.metrics.retries.Inc()
	s.trouble.Fail("InfluxDB takes no writes: " + v.String())
	held, ok := s.throttle.Allow("hold " + v.kind.String())
	if !ok {
		return
	}
	log := s.log.WithFields(logrus.Fields{"reason": v.String(), "held_back": held})
	switch v.kind {
	case denied:
		log.Errorf("InfluxDB does not let us write: points wait until INFLUX_USER and INFLUX_PASSWORD are right and the user may write to database %q", s.schema.db)
	case tooLarge:
		log.Error("InfluxDB finds a single point too large: points wait until its max-body-size, or that of a proxy, is larger")
	case unexpected:
		log.Error("INFLUX_API gives an answer that InfluxDB does not give: points wait; is it InfluxDB 1.x, is a proxy in between?")
	default:
		log.Warn("InfluxDB takes no writes: points wait and are tried again")
	}
}

func (s *sink) recovered() {
	s.trouble.Clear()
	if s.holding.Swap(false) {
		s.log.Info("InfluxDB answers again")
	}
}

// took notes a write that was accepted, perhaps without some of its points.
func (s *sink) took(p part, v verdict) {
	s.recovered()
	if v.kind != partial {
		return
	}
	dropped := min(v.dropped, p.points)
	s.metrics.rejected.WithLabelValues(v.rejection()).Add(float64(dropped))
	if held, ok := s.throttle.Allow("partial " + v.rejection()); ok {
		log := s.log.WithFields(logrus.Fields{
			"dropped": dropped, "of": p.points, "within": p.load.String(), "reason": v.reason, "held_back": held,
		})
		if v.rejection() == rejectRetention {
			log.Info("InfluxDB has dropped points that were older than the retention when they came")
			return
		}
		log.Error("InfluxDB has dropped points for good and stored the rest")
	}
}

// reject notes the one point of the part that InfluxDB refuses for good.
func (s *sink) reject(p part, v verdict) {
	s.recovered()
	f, b, offset := p.origin()
	b.refused++
	s.metrics.rejected.WithLabelValues(v.rejection()).Inc()
	if held, ok := s.throttle.Allow("reject " + v.rejection()); ok {
		s.log.WithFields(logrus.Fields{
			"record": fmt.Sprintf("%s offset %d", f, offset), "reason": v.reason, "held_back": held,
		}).Error("InfluxDB refuses a point for good: it is left out")
	}
}
