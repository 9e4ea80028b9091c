package ledger

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"fintrans/demo/oracle"
)

// The record headers of a planted ring's transfers.
const (
	ringHeader      = "ring"           // the ring's number
	transfersHeader = "ring-transfers" // of the whole ring
)

// maxAhead is how far ahead of the clock a record may be and still be good: the default of both consumers.
const maxAhead = time.Minute

// Record is a good record.
type Record struct {
	City      string
	Partition int32
	Offset    int64
	oracle.Transfer
	Ring          uint64 // number of the planted ring that it belongs to, 0 for none
	RingTransfers int    // of the whole ring
}

// Position is an offset for each partition of each topic. A partition that it does not have is one of
// which nothing is known: it is read from its beginning, and up to its beginning.
type Position map[string]map[int32]int64

func (p Position) set(topic string, partition int32, offset int64) {
	if p[topic] == nil {
		p[topic] = map[int32]int64{}
	}
	p[topic][partition] = offset
}

// Reaches says whether the position is at or behind the end of each partition that has one.
func (p Position) Reaches(end Position) bool {
	for topic, partitions := range end {
		for partition, offset := range partitions {
			if p[topic][partition] < offset {
				return false
			}
		}
	}
	return true
}

// Topics are topics on a Kafka cluster, as a client of its own sees them. They are safe for concurrent use.
type Topics struct {
	brokers []string
	names   []string
	admin   *kadm.Client
}

// OpenTopics makes a client for the topics of these names, which need not exist. It fails when no broker
// answers before ctx ends. The caller closes it.
func OpenTopics(ctx context.Context, brokers, names []string) (*Topics, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.MetadataMinAge(100*time.Millisecond))
	if err != nil {
		return nil, err
	}
	t := &Topics{brokers: brokers, names: names, admin: kadm.NewClient(client)}
	if _, err := t.admin.BrokerMetadata(ctx); err != nil {
		client.Close()
		return nil, fmt.Errorf("Kafka at %v: %w", brokers, err) //nolint:staticcheck // a name
	}
	return t, nil
}

// Close ends the client.
func (t *Topics) Close() { t.admin.Close() }

// Create creates topics as the services do on a single broker.
func (t *Topics) Create(ctx context.Context, partitions int32, retention time.Duration, names ...string) error {
	millis := strconv.FormatInt(retention.Milliseconds(), 10)
	created, err := t.admin.CreateTopics(ctx, partitions, 1, map[string]*string{"retention.ms": &millis}, names...)
	if err == nil {
		err = created.Error()
	}
	if err != nil {
		return fmt.Errorf("create topics: %w", err)
	}
	return nil
}

// Grow adds a partition to topics.
func (t *Topics) Grow(ctx context.Context, names ...string) error {
	for _, name := range names {
		before, err := t.count(ctx, name)
		if err == nil {
			err = t.growTo(ctx, before+1, name)
		}
		if err != nil {
			return fmt.Errorf("add a partition to %s: %w", name, err)
		}
	}
	return nil
}

// growTo gives a topic so many partitions. When the answer to a request is lost, a broker says of the next one that the
// topic has them already, as of a number that is too small.
func (t *Topics) growTo(ctx context.Context, partitions int, name string) error {
	grown, err := t.admin.UpdatePartitions(ctx, partitions, name)
	if err == nil {
		err = grown.Error()
	}
	if errors.Is(err, kerr.InvalidPartitions) {
		if now, failed := t.count(ctx, name); failed == nil && now >= partitions {
			return nil
		}
	}
	return err
}

// count is how many partitions a topic has.
func (t *Topics) count(ctx context.Context, name string) (int, error) {
	topics, err := t.admin.ListTopics(ctx, name)
	if err == nil {
		err = topics.Error()
	}
	return len(topics[name].Partitions), err
}

// Delete deletes topics and what is in them; one that does not exist is no error.
func (t *Topics) Delete(ctx context.Context, names ...string) error {
	deleted, err := t.admin.DeleteTopics(ctx, names...)
	for _, topic := range deleted.Sorted() {
		if topic.Err != nil && !errors.Is(topic.Err, kerr.UnknownTopicOrPartition) {
			err = errors.Join(err, fmt.Errorf("delete topic %s: %w", topic.Topic, topic.Err))
		}
	}
	return err
}

// Ends is where the topics that exist end: what is open in a transaction is behind it.
func (t *Topics) Ends(ctx context.Context) (Position, error) {
	listed, err := t.admin.ListCommittedOffsets(ctx, t.names...)
	return position("ends", listed, err)
}

// At is where the first records are whose time is not before the instant, or the ends where there are none.
func (t *Topics) At(ctx context.Context, instant time.Time) (Position, error) {
	listed, err := t.admin.ListOffsetsAfterMilli(ctx, instant.UnixMilli(), t.names...)
	return position("offsets by time", listed, err)
}

func position(what string, listed kadm.ListedOffsets, err error) (Position, error) {
	found := Position{}
	listed.Each(func(o kadm.ListedOffset) {
		switch {
		case errors.Is(o.Err, kerr.UnknownTopicOrPartition): // it does not exist yet
		case o.Err != nil:
			err = errors.Join(err, fmt.Errorf("%s/%d: %w", o.Topic, o.Partition, o.Err))
		default:
			found.set(o.Topic, o.Partition, o.Offset)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("%s of the topics: %w", what, err)
	}
	return found, nil
}

// Commit makes a consumer group that has no members begin at the position.
func (t *Topics) Commit(ctx context.Context, group string, at Position) error {
	offsets := kadm.Offsets{}
	for topic, partitions := range at {
		for partition, offset := range partitions {
			offsets.AddOffset(topic, partition, offset, -1)
		}
	}
	if len(offsets) == 0 {
		return nil
	}
	if err := t.admin.CommitAllOffsets(ctx, group, offsets); err != nil {
		return fmt.Errorf("commit the offsets at which group %s begins: %w", group, err)
	}
	return nil
}

// Committed is what a group has committed.
func (t *Topics) Committed(ctx context.Context, group string) (Position, error) {
	fetched, err := t.admin.FetchOffsets(ctx, group)
	if err == nil {
		err = fetched.Error()
	}
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return nil, fmt.Errorf("committed offsets of group %s: %w", group, err)
	}
	committed := Position{}
	fetched.Each(func(o kadm.OffsetResponse) { committed.set(o.Topic, o.Partition, o.At) })
	return committed, nil
}

// Forget deletes groups that have no members any more; one that does not exist is no error.
func (t *Topics) Forget(ctx context.Context, groups ...string) error {
	deleted, err := t.admin.DeleteGroups(ctx, groups...)
	for _, group := range deleted.Sorted() {
		if group.Err != nil && !errors.Is(group.Err, kerr.GroupIDNotFound) {
			err = errors.Join(err, fmt.Errorf("delete group %s: %w", group.Group, group.Err))
		}
	}
	return err
}

// Reading is what was found beside the good records.
type Reading struct {
	Bad    int
	Behind Position // the last record of each partition: where a group is that has dealt with all
}

// Read hands out the good records in [from, to), each partition's in the order of its log.
func (t *Topics) Read(ctx context.Context, from, to Position, each func(Record)) (Reading, error) {
	reading := Reading{Behind: Position{}}
	latest := time.Now().Add(maxAhead).UnixMilli()
	err := t.scan(ctx, from, to, func(r *kgo.Record) {
		reading.Behind.set(r.Topic, r.Partition, r.Offset+1)
		if record, ok := parse(r, latest); ok {
			each(record)
		} else {
			reading.Bad++
		}
	})
	return reading, err
}

// scan hands out what is in [from, to) but for control records, each partition's in the order of its log.
func (t *Topics) scan(ctx context.Context, from, to Position, each func(*kgo.Record)) error {
	starts, left := map[string]map[int32]kgo.Offset{}, 0
	for topic, partitions := range to {
		starts[topic] = map[int32]kgo.Offset{}
		for partition, end := range partitions {
			if start := from[topic][partition]; start < end {
				starts[topic][partition] = kgo.NewOffset().At(start)
				left++
			}
		}
	}
	if left == 0 {
		return nil
	}
	// Control records are kept because the last offset may be that of one: without it nothing would tell
	// that the end is reached.
	reader, err := kgo.NewClient(kgo.SeedBrokers(t.brokers...), kgo.ConsumePartitions(starts),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	if err != nil {
		return err
	}
	defer reader.Close()
	for left > 0 {
		fetches := reader.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("read the topics, with %d partitions left: %w", left, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			end := to[r.Topic][r.Partition]
			if r.Offset == end-1 {
				left--
			}
			if r.Offset < end && !r.Attrs.IsControl() {
				each(r)
			}
		})
	}
	return nil
}

// parse reads a record; ok is false for a bad one.
func parse(r *kgo.Record, latest int64) (record Record, ok bool) {
	record = Record{City: r.Topic, Partition: r.Partition, Offset: r.Offset}
	record.Transfer, ok = oracle.ParseTransfer(r.Value)
	record.At = r.Timestamp.UnixMilli()
	for _, header := range r.Headers {
		number, err := strconv.ParseUint(string(header.Value), 10, 31)
		switch {
		case err != nil: // somebody else's header
		case header.Key == ringHeader:
			record.Ring = number
		case header.Key == transfersHeader:
			record.RingTransfers = int(number)
		}
	}
	return record, ok && record.At >= 0 && record.At <= latest
}
