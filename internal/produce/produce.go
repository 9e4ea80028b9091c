// Package produce sends records to Kafka by the batch: acknowledged by all
// in-sync replicas, each exactly once and in the order in which they were
// appended to their partition.
//
// A record is written straight into the open batch of its partition. A leader
// gets one request at a time, with one batch for each of its partitions that
// has something; the next batches fill meanwhile, so they grow with the load.
// What is handed from goroutine to goroutine is a request, never a record.
//
// sarama brings the connections, the metadata and the protocol. Its own
// AsyncProducer hands each record over five times, which costs more than all
// the rest.
package produce

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"
	"github.com/sirupsen/logrus"

	"fintrans/internal/service"
	"fintrans/internal/transaction"
)

// lookEvery is how often a Producer that sends looks for new partitions among what the client knows.
const lookEvery = time.Second

// settledBuffer is how many settled batches may wait for their reader before a sender waits.
const settledBuffer = 64

// Producer sends records to topics. Append, Flush and Release are safe for
// concurrent use; records of one partition keep the order of their Append.
type Producer struct {
	cluster cluster
	log     logrus.FieldLogger
	limit   int
	settled chan *Batch
	wake    chan struct{} // the router's
	done    chan struct{} // closed by Close
	stop    func()
	trouble atomic.Pointer[error]
	failing *service.Throttle // of complaints, by topic

	mu      sync.Mutex
	topics  []*topic
	held    int          // records appended and not released
	touched []*partition // have an open batch that is not due
	strays  []*partition // the router's
	senders map[int32]*sender
	free    []*Batch
	looked  time.Time // when the router was last asked to look for partitions
	look    bool      // it is asked to
	id      identity  // the latest
}

// topic is a topic and its partitions, by their numbers. There may be more of
// them than count when the topic was made again with fewer.
type topic struct {
	index      int
	name       string
	count      int32
	partitions []*partition
}

// Open makes a producer of up to limit records at a time that are not settled
// and released. It asks the brokers for a producer id; its error says why there
// is none, or that a topic is not there. The client's configuration has to be
// that of an idempotent producer, and the client is the caller's to close, after
// Close.
func Open(client sarama.Client, topics []string, limit int, log logrus.FieldLogger) (*Producer, error) {
	return open(clientCluster{client}, topics, limit, log)
}

func open(c cluster, topics []string, limit int, log logrus.FieldLogger) (*Producer, error) {
	id, err := c.identify()
	if err != nil {
		return nil, err
	}
	p := &Producer{
		cluster: c, log: log, limit: limit, id: id,
		settled: make(chan *Batch, settledBuffer), wake: make(chan struct{}, 1), done: make(chan struct{}),
		senders: make(map[int32]*sender), looked: time.Now(), failing: service.NewThrottle(complainEvery),
	}
	p.stop = sync.OnceFunc(func() { close(p.done) })
	for i, name := range topics {
		count, err := c.partitions(name)
		if err != nil {
			return nil, err
		}
		p.topics = append(p.topics, &topic{index: i, name: name})
		p.grow(p.topics[i], count)
	}
	go p.route()
	return p, nil
}

// Append adds a record to the open batch of its partition, which is told by
// transaction.Partition. The topic is an index into those given to Open. It
// returns false when there is no room: wait for a batch to be settled and
// released. The record's key and value are copied. Nothing is sent before Flush,
// or before the batch is full.
func (p *Producer) Append(topic int, r *Record) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held >= p.limit {
		return false
	}
	t := p.topics[topic]
	part := t.partitions[transaction.Partition(r.Key, t.count)]
	if part.open == nil {
		part.open = p.batch(part)
	}
	if !part.open.fits(r) {
		part.flush()
		return false
	}
	part.open.add(r)
	p.held++
	if !part.touched {
		part.touched = true
		p.touched = append(p.touched, part)
	}
	return true
}

// batch returns an empty batch for a partition.
func (p *Producer) batch(part *partition) *Batch {
	var b *Batch
	if last := len(p.free) - 1; last >= 0 {
		b, p.free = p.free[last], p.free[:last]
	} else {
		b = new(Batch)
	}
	b.reset(part)
	return b
}

// Flush lets everything go that was appended.
func (p *Producer) Flush() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, part := range p.touched {
		part.touched = false
		part.flush()
	}
	p.touched = p.touched[:0]
	if now := time.Now(); now.Sub(p.looked) >= lookEvery {
		p.looked, p.look = now, true
		signal(p.wake)
	}
}

// Settled brings each batch that is acknowledged or given up, once. The reader
// has to Release it.
func (p *Producer) Settled() <-chan *Batch { return p.settled }

// Release makes room for as many records as the batch has. It must not be used
// any more.
func (p *Producer) Release(b *Batch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held -= b.Len()
	b.drop()
	p.free = append(p.free, b)
}

// Trouble is why the latest batch could not be sent, nil when one was
// acknowledged since. A partition without a leader is none as long as it has
// nothing to send.
func (p *Producer) Trouble() error {
	if err := p.trouble.Load(); err != nil {
		return *err
	}
	return nil
}

// Close gives up everything that is not settled, without waiting: a goroutine
// that waits for a broker ends when sarama's timeout ends its call.
func (p *Producer) Close() { p.stop() }

// signal leaves a word for a goroutine that may be waiting.
func signal(wake chan<- struct{}) {
	select {
	case wake <- struct{}{}:
	default:
	}
}
