package main

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"

	"fintrans/internal/consume"
	"fintrans/internal/service"
)

// While records flow, what is written is committed about this often. What is
// not committed at a crash is written again, as the same points.
const commitEvery = time.Second

// ingest is the consume.Handler of a stream: it gives each session a pool and its writers.
type ingest struct {
	cfg    config
	rt     *service.Runtime
	stream stream
	probe  sarama.Client
	sink   *sink

	mu      sync.Mutex
	session *session
	left    string // what the last session could not write
}

// session is what the ingest keeps for as long as it holds its claims.
type session struct {
	committed map[string]map[int32]int64 // when it began
	pool      *pool
	work      sync.WaitGroup // writers and commits
	stored    atomic.Bool    // something was written since the last commit

	mu   sync.Mutex
	left map[string]int // records that were read and not written, by claim
}

func newIngest(cfg config, rt *service.Runtime, of stream, probe sarama.Client, sink *sink) *ingest {
	i := &ingest{cfg: cfg, rt: rt, stream: of, probe: probe, sink: sink}
	sink.metrics.watch(func() float64 {
		if s := i.current(); s != nil {
			return float64(s.pool.buffered())
		}
		return 0
	})
	return i
}

// Setup implements consume.Handler.
func (i *ingest) Setup(s *consume.Session) error {
	committed, err := i.startAtRetention(s)
	if err != nil {
		return err
	}
	next := &session{committed: committed, pool: newPool(i.cfg.IngestWaitSec.Duration()), left: map[string]int{}}
	for range i.stream.writers {
		w := &writer{pool: next.pool, sink: i.sink, loop: i.rt.Health.Loop(i.stream.named("write"))}
		next.work.Go(func() { w.run(func() { next.stored.Store(true) }) })
	}
	next.work.Go(func() { i.commit(next, s.Commit) })
	i.mu.Lock()
	defer i.mu.Unlock()
	i.session, i.left = next, ""
	return nil
}

// commit commits now and then what was written, until the writers are to end.
func (i *ingest) commit(s *session, commit func(ctx context.Context, tick func())) {
	loop := i.rt.Health.Loop(i.stream.named("commit when written"))
	defer loop.Done()
	for loop.Sleep(s.pool.ctx, commitEvery) == nil {
		if s.stored.Swap(false) {
			commit(s.pool.ctx, loop.Tick)
			i.sink.metrics.commits.Inc()
		}
	}
}

// Consume implements consume.Handler.
func (i *ingest) Consume(s *consume.Session, c *consume.Claim) error {
	own := i.current()
	i.sayWhatIsGone(s.Context(), c, own.committed[c.Topic()][c.Partition()])
	r := newReading(i, own, c, slices.Index(i.stream.topics, c.Topic()))
	r.run(s.Context())
	return nil
}

// Cleanup implements consume.Handler: every claim has handed over what it had.
func (i *ingest) Cleanup(*consume.Session) {
	s := i.current()
	if s == nil {
		return // its setup failed
	}
	s.pool.giveUp()
	s.work.Wait()
	// Nothing waits here any more, and perhaps nothing will for long. Where InfluxDB is still away, the next session
	// finds out.
	i.sink.trouble.Clear()
	left := s.unwritten()
	if left != "" {
		i.rt.Log.WithField("records", left).Warn("InfluxDB did not take all before the session ended: they will be read again")
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.session, i.left = nil, left
}

func (i *ingest) current() *session {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.session
}

// unwritten is the error of a drain in which InfluxDB did not take everything.
func (i *ingest) unwritten() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.left == "" {
		return nil
	}
	return fmt.Errorf("InfluxDB did not take all that was read; it will be read again: %s", i.left)
}

// leave notes how many records of a claim were read and not written.
func (s *session) leave(name string, records int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if records > 0 {
		s.left[name] = records
	}
}

// unwritten names the claims with records that were not written, and how many.
func (s *session) unwritten() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := make([]string, 0, len(s.left))
	for name, records := range s.left {
		names = append(names, fmt.Sprintf("%s (%d records)", name, records))
	}
	sort.Strings(names)
	return strings.Join(names, ", ")
}
