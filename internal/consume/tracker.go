package consume

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fintrans/internal/kafka"
	"fintrans/internal/service"
)

const (
	// A claim without a good record for this long is asked about: is it at its end?
	silence = 3 * time.Second
	// ... and again after this long.
	askAgain = 5 * time.Second
	// An answer that is older does not count.
	tooOld = 3 * askAgain
	// Lag without progress for this long is a reason not to be ready.
	stuckAfter = 60 * time.Second
)

// tracker knows every claim of this member. It asks the broker where the logs
// of idle claims end, which the fetches of an idle partition do not tell.
type tracker struct {
	cfg     Config
	loop    *service.Loop
	reader  *kafka.Reader
	records *prometheus.Desc
	seconds *prometheus.Desc

	mu     sync.Mutex
	claims map[*progress]bool // false: its claim has returned, its session has not
}

func newTracker(cfg Config) *tracker {
	labels := []string{"topic", "partition"}
	loop := cfg.loop("lag")
	reader := kafka.NewReader(cfg.Probe)
	reader.Tick = loop.Tick
	return &tracker{
		cfg:    cfg,
		loop:   loop,
		reader: reader,
		records: prometheus.NewDesc(cfg.Prefix+"_consumer_lag_records",
			"Records in the log that are not dealt with yet.", labels, nil),
		seconds: prometheus.NewDesc(cfg.Prefix+"_consumer_lag_seconds",
			"Age of the last record dealt with while there is lag, else 0.", labels, nil),
		claims: map[*progress]bool{},
	}
}

func (t *tracker) add(claim Claimed) *progress {
	p := newProgress(claim)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.claims[p] = true
	return p
}

// remove keeps what the claim has marked until the session has committed it.
func (t *tracker) remove(p *progress) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.claims[p] = false
}

// forget ends the session's book-keeping.
func (t *tracker) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.claims)
}

func (t *tracker) live() []*progress {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := make([]*progress, 0, len(t.claims))
	for p, alive := range t.claims {
		if alive {
			list = append(list, p)
		}
	}
	return list
}

// Describe implements prometheus.Collector.
func (t *tracker) Describe(ch chan<- *prometheus.Desc) {
	ch <- t.records
	ch <- t.seconds
}

// Collect implements prometheus.Collector: the lag is worked out at the scrape.
func (t *tracker) Collect(ch chan<- prometheus.Metric) {
	now := time.Now()
	for _, p := range t.live() {
		lag, age := p.lag(), 0.0
		if millis := p.millis.Load(); lag > 0 && millis >= 0 {
			age = max(0, now.Sub(time.UnixMilli(millis)).Seconds())
		}
		ch <- prometheus.MustNewConstMetric(t.records, prometheus.GaugeValue, float64(lag), p.topic, itoa(p.partition))
		ch <- prometheus.MustNewConstMetric(t.seconds, prometheus.GaugeValue, age, p.topic, itoa(p.partition))
	}
}

// stuck is the reason for /ready when records wait and nothing moves.
func (t *tracker) stuck() string {
	now := time.Now()
	var names []string
	for _, p := range t.live() {
		if p.lag() > 0 && p.Silent(now) > stuckAfter {
			names = append(names, fmt.Sprintf("%s (%d records, for %v)", p.name(), p.lag(), p.Silent(now).Round(time.Second)))
		}
	}
	if len(names) == 0 {
		return ""
	}
	sort.Strings(names)
	return "records wait and none is dealt with: " + strings.Join(names, ", ")
}

// run asks about idle claims until ctx ends.
func (t *tracker) run(ctx context.Context) {
	defer t.loop.Done()
	for t.loop.Sleep(ctx, time.Second) == nil {
		if idle := t.idle(time.Now()); len(idle) > 0 {
			t.ask(ctx, idle)
		}
	}
}

// idle returns the claims that it is time to ask about, and sees who has come as far as the answers before.
func (t *tracker) idle(now time.Time) []*progress {
	var list []*progress
	for _, p := range t.live() {
		p.look()
		if p.idle(now) {
			list = append(list, p)
		}
	}
	return list
}

// ask learns where the logs end and, where a claim seems to be behind, whether
// what is between is anything to read at all.
func (t *tracker) ask(ctx context.Context, idle []*progress) {
	partitions := map[string][]int32{}
	for _, p := range idle {
		p.askedAt.Store(time.Now().UnixNano())
		partitions[p.topic] = append(partitions[p.topic], p.partition)
	}
	asked := time.Now()
	// A broker that is away keeps the answer back for as long as sarama's timeouts say.
	ends, err := kafka.Await(ctx, t.loop.Tick, nil, func() (map[string]map[int32]int64, error) {
		return kafka.EndOffsets(t.cfg.Probe, partitions)
	})
	if err != nil { // no answer: then nobody knows that they are at their end
		t.cfg.Runtime.Log.WithError(err).Debug("asking for the ends of the logs")
		return
	}
	for _, p := range idle {
		end, ok := ends[p.topic][p.partition]
		if !ok {
			continue
		}
		t.loop.Tick()
		p.end.Store(end)
		t.compareEnd(ctx, p, end, asked)
	}
}

// compareEnd finds out whether the claim has dealt with all that its log held when the broker was asked.
func (t *tracker) compareEnd(ctx context.Context, p *progress, end int64, asked time.Time) {
	next := p.next.Load()
	switch {
	case end <= max(next, p.nothing.Load()):
	case p.Silent(asked) <= silence: // bad records flow: it gets there by itself, or is behind
		p.await(end, asked)
		return
	case !t.empty(ctx, p, next, end):
		return
	}
	p.nothing.Store(end)
	p.atEnd(asked)
}

// empty reports whether no record that a consumer is given lies in [from, to).
func (t *tracker) empty(ctx context.Context, p *progress, from, to int64) bool {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	found := false
	_, err := t.reader.Read(ctx, p.topic, p.partition, from, to, func([]kafka.Record) bool {
		found = true
		return false
	})
	return err == nil && !found
}

// moved are the claims of which something was dealt with.
func (t *tracker) moved() map[string][]int32 {
	t.mu.Lock()
	defer t.mu.Unlock()
	claims := map[string][]int32{}
	for p := range t.claims {
		if p.hasMoved.Load() {
			claims[p.topic] = append(claims[p.topic], p.partition)
		}
	}
	return claims
}

// compare returns an error naming each partition whose committed offset is
// below what was marked.
func (t *tracker) compare(committed map[string]map[int32]int64) error {
	var behind []string
	t.mu.Lock()
	defer t.mu.Unlock()
	for p := range t.claims {
		if next := p.marked.Load(); p.hasMoved.Load() && committed[p.topic][p.partition] < next {
			behind = append(behind, fmt.Sprintf("%s from offset %d to %d", p.name(), max(committed[p.topic][p.partition], 0), next-1))
		}
	}
	if len(behind) == 0 {
		return nil
	}
	sort.Strings(behind)
	return fmt.Errorf("not committed, will be read again: %s", strings.Join(behind, ", "))
}

// uncommitted names what may be read again when the drain was cut short; it is empty where that is nothing.
func (t *tracker) uncommitted() string {
	var names []string
	t.mu.Lock()
	defer t.mu.Unlock()
	for p := range t.claims {
		names = append(names, p.name())
	}
	sort.Strings(names)
	if len(names) == 0 {
		return ""
	}
	return "what was last read of " + strings.Join(names, ", ") + " may be read again"
}
