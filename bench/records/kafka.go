package records

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"fintrans/internal/transaction"
)

// Topics talks to brokers: about topics, and to put records into them.
type Topics struct {
	client *kgo.Client
	admin  *kadm.Client
}

// Connect prepares a client of the brokers. The caller closes it.
func Connect(brokers []string, options ...kgo.Opt) (*Topics, error) {
	client, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(brokers...),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.MaxBufferedRecords(1 << 18),
		kgo.ProducerBatchMaxBytes(1 << 20),
	}, options...)...)
	if err != nil {
		return nil, err
	}
	return &Topics{client: client, admin: kadm.NewClient(client)}, nil
}

// ConnectAtOnce is Connect for a client that lets no record wait for others.
func ConnectAtOnce(brokers ...string) (*Topics, error) {
	return Connect(brokers, kgo.ProducerLinger(0))
}

// Close ends the client.
func (t *Topics) Close() { t.client.Close() }

// Create makes topics.
func (t *Topics) Create(ctx context.Context, partitions int32, topics ...string) error {
	// What is measured may be of the past days: nothing is to be deleted for its age.
	forever := "-1"
	created, err := t.admin.CreateTopics(ctx, partitions, 1, map[string]*string{"retention.ms": &forever}, topics...)
	if err == nil {
		err = created.Error()
	}
	if err != nil {
		return fmt.Errorf("create topics %v: %w", topics, err)
	}
	return nil
}

// Put puts the set into the cities' topics, each record where the generator would put it, and returns when all are
// acknowledged. told gets the number of records that have been handed over, at times.
func (t *Topics) Put(ctx context.Context, set Set, told func(n int64)) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	failed := func(_ *kgo.Record, err error) {
		if err != nil {
			stop(fmt.Errorf("put a record into Kafka: %w", err))
		}
	}
	cities, n := transaction.Cities(), int64(0)
	var blocks arena
	err := set.Each(func(city int, tx transaction.Transaction, millis int64) error {
		r := blocks.record(tx)
		r.Topic, r.Partition = cities[city], transaction.Partition(r.Key, Partitions)
		r.Timestamp = time.UnixMilli(millis)
		t.client.Produce(ctx, r, failed)
		if n++; n%(1<<16) == 0 {
			told(n)
		}
		return context.Cause(ctx)
	})
	if err != nil {
		return err
	}
	if err := t.client.Flush(ctx); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// arena makes records a block at a time: a million of them are produced before anything is measured.
type arena struct {
	records []kgo.Record
	bytes   []byte
}

func (a *arena) record(tx transaction.Transaction) *kgo.Record {
	const block, longest = 4096, 64
	if len(a.records) == 0 {
		a.records = make([]kgo.Record, block)
	}
	if cap(a.bytes)-len(a.bytes) < longest {
		a.bytes = make([]byte, 0, block*longest/2)
	}
	r := &a.records[0]
	a.records = a.records[1:]
	start := len(a.bytes)
	a.bytes = tx.AppendValue(a.bytes)
	r.Value = a.bytes[start:len(a.bytes):len(a.bytes)]
	r.Key = r.Value[:keyLength(r.Value)]
	return r
}

// keyLength is the length of "source target", with which a value begins.
func keyLength(value []byte) int {
	n := len(value)
	for value[n-1] != ' ' {
		n--
	}
	return n - 1
}

// Send puts one record into a city's topic. acked is called when it is acknowledged, or with why it is not.
func (t *Topics) Send(ctx context.Context, city int, tx transaction.Transaction, at time.Time, acked func(error)) {
	value := tx.AppendValue(nil)
	key := value[:keyLength(value)]
	t.client.Produce(ctx, &kgo.Record{
		Topic: transaction.Cities()[city], Partition: transaction.Partition(key, Partitions),
		Key: key, Value: value, Timestamp: at,
	}, func(_ *kgo.Record, err error) { acked(err) })
}

// Flush returns when everything that was sent is acknowledged or has failed.
func (t *Topics) Flush(ctx context.Context) error { return t.client.Flush(ctx) }

// AwaitCommitted waits until the group has committed this many records of the cities' topics, all partitions
// together.
func (t *Topics) AwaitCommitted(ctx context.Context, group string, want int64) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		committed, err := t.Committed(ctx, group)
		if err == nil && committed >= want {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("group %s has committed %d of %d records: %w", group, committed, want, context.Cause(ctx))
		}
	}
}

// Committed returns how many records the group has committed, all topics together, of logs that begin at 0.
func (t *Topics) Committed(ctx context.Context, group string) (int64, error) {
	fetched, err := t.admin.FetchOffsets(ctx, group)
	if err != nil {
		return 0, err
	}
	total := int64(0)
	fetched.Each(func(o kadm.OffsetResponse) { total += max(0, o.At) })
	return total, nil
}

// Total returns how many records are in the cities' topics, whose logs begin at 0.
func (t *Topics) Total(ctx context.Context) (int64, error) {
	ends, err := t.admin.ListEndOffsets(ctx, transaction.Cities()...)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return 0, fmt.Errorf("ends of the topics: %w", err)
	}
	total := int64(0)
	ends.Each(func(o kadm.ListedOffset) { total += o.Offset })
	return total, nil
}
