package produce

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"go.uber.org/goleak"

	"fintrans/internal/transaction"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// latency is how long a request takes, there and back.
const latency = 2 * time.Millisecond

// fate is what happens to a batch that is sent.
type fate int

const (
	arrives    fate = iota
	lostThere       // the connection breaks before the batch arrives
	lostBack        // it breaks after the batch was written
	late            // it breaks, and the batch is written afterwards
	unanswered      // nothing comes back
	refused         // by model.refusal; this and the next do not concern the other batches of the request
	regretted       // written, and then refused by model.refusal
)

var errBroken = fmt.Errorf("broken connection: %w", io.EOF)

// place is a partition of a topic.
type place struct {
	topic  string
	number int32
}

// attempt is one batch as it was sent.
type attempt struct {
	place
	broker int32
	id     identity
	first  int32
	keys   string
}

// sentBatch is an attempt and what happens to it.
type sentBatch struct {
	attempt
	fate    fate
	refusal sarama.KError
}

// model is a cluster that treats producers as Kafka's brokers do: it knows the
// last batch of each, and tells repetition from loss by the numbers.
type model struct {
	t *testing.T

	mu        sync.Mutex
	counts    map[string]int32
	leaders   map[place]int32     // that are not broker 0; -1: none
	logs      map[place][]attempt // what was written
	strict    bool                // an unknown producer has to begin at 0, as before Kafka 2.5
	fate      func(attempt) fate
	refusal   sarama.KError
	ids       int64
	idErr     error
	ledErr    error
	refreshed func() // called, if not nil, whenever the metadata are asked for
	attempts  []attempt
	under     map[place]int  // batches under way
	requests  map[int32]int  // requests under way
	broken    map[int32]bool // connections that nobody has hung up yet
}

func newModel(t *testing.T, counts map[string]int32) *model {
	return &model{
		t: t, counts: counts, leaders: map[place]int32{}, logs: map[place][]attempt{},
		fate: func(attempt) fate { return arrives }, under: map[place]int{}, requests: map[int32]int{}, broken: map[int32]bool{},
	}
}

// open makes a producer of the model's topics, in the order of their names.
func (m *model) open(limit int) *Producer {
	m.t.Helper()
	var topics []string
	for name := range m.counts {
		topics = append(topics, name)
	}
	slices.Sort(topics)
	p, err := open(m, topics, limit, quiet())
	if err != nil {
		m.t.Fatal(err)
	}
	return p
}

// finish closes a producer, and waits until the model has nothing to do for it any more.
func finish(p *Producer) {
	p.Close()
	<-time.After(time.Minute)
}

// set changes the model while it is in use.
func (m *model) set(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
}

func (m *model) partitions(topic string) (int32, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.counts[topic] == 0 {
		return 0, sarama.ErrUnknownTopicOrPartition
	}
	return m.counts[topic], nil
}

func (m *model) led(topic string) ([]int32, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ledErr != nil {
		return nil, m.ledErr
	}
	var numbers []int32
	for n := range m.counts[topic] {
		if m.leaders[place{topic, n}] >= 0 {
			numbers = append(numbers, n)
		}
	}
	return numbers, nil
}

func (m *model) leader(topic string, partition int32) (node, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &modelNode{m, m.leaders[place{topic, partition}]}, nil
}

func (m *model) refresh([]string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refreshed != nil {
		m.refreshed()
	}
	return errors.New("not needed")
}

func (m *model) identify() (identity, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.idErr != nil {
		return nobody, m.idErr
	}
	m.ids++
	return identity{m.ids, 0}, nil
}

type modelNode struct {
	*model
	id int32
}

func (n *modelNode) ID() int32 { return n.id }

func (n *modelNode) hangUp() { n.set(func() { n.broken[n.id] = false }) }

// send takes a request in and answers it after a while.
func (n *modelNode) send(batches []*Batch, answer func(*sarama.ProduceResponse, error)) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.broken[n.id] {
		return sarama.ErrNotConnected
	}
	if n.requests[n.id]++; n.requests[n.id] > 1 {
		n.t.Errorf("broker %d: got %d requests at a time", n.id, n.requests[n.id])
	}
	var sent []sentBatch
	worst := arrives // of what happens to the request as a whole
	for _, b := range batches {
		a := n.read(b)
		n.attempts = append(n.attempts, a)
		if n.under[a.place]++; n.under[a.place] > 1 {
			n.t.Errorf("%v: got %d batches at a time", a.place, n.under[a.place])
		}
		f := n.fate(a)
		sent = append(sent, sentBatch{a, f, n.refusal})
		if f < refused {
			worst = max(worst, f)
		}
	}
	reply := func(response *sarama.ProduceResponse, err error) {
		n.mu.Lock()
		n.broken[n.id] = err != nil
		n.requests[n.id]--
		for _, a := range sent {
			n.under[a.place]--
		}
		n.mu.Unlock()
		answer(response, err)
	}
	if worst != unanswered {
		go n.handle(sent, worst, reply)
	}
	return nil
}

// read looks at a batch as a broker does.
func (n *modelNode) read(b *Batch) attempt {
	r := &b.records
	var keys []string
	for i, record := range r.Records {
		keys = append(keys, string(record.Key))
		if record.OffsetDelta != int64(i) || r.FirstTimestamp.Add(record.TimestampDelta).After(r.MaxTimestamp) {
			n.t.Errorf("record %d of %d: got offset %d, time %s after the first, latest %s", i, len(r.Records), record.OffsetDelta, record.TimestampDelta, r.MaxTimestamp)
		}
	}
	if r.Version != 2 || int(r.LastOffsetDelta) != len(keys)-1 || len(keys) == 0 {
		n.t.Errorf("got version %d, last offset %d of %d records", r.Version, r.LastOffsetDelta, len(keys))
	}
	return attempt{place{b.Name, b.Partition}, n.id, identity{r.ProducerID, r.ProducerEpoch}, r.FirstSequence, strings.Join(keys, ",")}
}

func (n *modelNode) handle(sent []sentBatch, f fate, reply func(*sarama.ProduceResponse, error)) {
	<-time.After(latency)
	if f == lostThere {
		reply(nil, errBroken)
		return
	}
	if f == late {
		reply(nil, errBroken)
		<-time.After(10 * latency)
	}
	response := &sarama.ProduceResponse{Version: 8}
	n.mu.Lock()
	for _, a := range sent {
		response.AddTopicPartition(a.topic, a.number, n.answer(a))
	}
	n.mu.Unlock()
	switch f {
	case late:
	case lostBack:
		reply(nil, errBroken)
	default:
		reply(response, nil)
	}
}

// answer is what a leader says of a batch.
func (n *modelNode) answer(b sentBatch) sarama.KError {
	switch {
	case n.leaders[b.place] != n.id:
		return sarama.ErrNotLeaderForPartition
	case b.fate == refused && b.refusal != sarama.ErrNoError:
		return b.refusal
	}
	err := n.append(b.attempt)
	if err == sarama.ErrNoError && b.fate == regretted {
		return b.refusal
	}
	return err
}

// append is what a leader does with a batch.
func (n *modelNode) append(a attempt) sarama.KError {
	last, known := attempt{}, false
	for _, before := range n.logs[a.place] {
		if before.id == a.id {
			last, known = before, true
		}
	}
	switch {
	case known && a.first == last.first:
		return sarama.ErrNoError // it has it
	case known && a.first != following(last.first, len(last.records())):
		return sarama.ErrOutOfOrderSequenceNumber
	case !known && n.strict && a.first != 0:
		return sarama.ErrUnknownProducerID
	}
	n.logs[a.place] = append(n.logs[a.place], a)
	return sarama.ErrNoError
}

// records are the keys of the batch's.
func (a attempt) records() []string { return strings.Split(a.keys, ",") }

// log is what is in a partition.
func (m *model) log(at place) (keys []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range m.logs[at] {
		keys = append(keys, a.records()...)
	}
	return keys
}

// key is that of the n-th transaction.
func key(n int) string { return fmt.Sprintf("%d %d", n, n+1) }

// record is the n-th transaction's.
func record(n int) *Record {
	return &Record{Key: []byte(key(n)), Value: []byte(key(n) + " 7"), Time: time.Now(), Amount: 7}
}

// placeOf is where the n-th transaction belongs.
func placeOf(topic string, n int, count int32) place {
	return place{topic, transaction.Partition([]byte(key(n)), count)}
}

// keys are those of the batch's records.
func (b *Batch) keys() (keys []string) {
	from := int32(0)
	for _, end := range b.ends {
		keys = append(keys, string(b.bytes[from:end.key]))
		from = end.value
	}
	return keys
}

// settled waits for a batch and releases it; what it says is a copy.
func settled(t *testing.T, p *Producer) (b Batch, keys []string) {
	t.Helper()
	select {
	case got := <-p.Settled():
		keys = got.keys()
		b = *got
		p.Release(got)
	case <-time.After(24 * time.Hour):
		t.Fatalf("no batch was settled; the trouble is %v", p.Trouble())
	}
	return b, keys
}
