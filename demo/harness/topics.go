package harness

import (
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"fintrans/internal/transaction"
)

// Cities are the five cities, and their topics.
func Cities() []string { return transaction.Cities() }

// ByKey leaves the choice of the partition to the key, as sarama's hash partitioner makes it.
const ByKey = -1

// Record is a record to put into a topic, or one that was found there.
type Record struct {
	City      string
	Partition int32 // ByKey where the key decides
	Offset    int64 // of a record that was found
	Key       []byte
	Value     []byte
	Time      time.Time // of the transaction, in whole milliseconds; time.UnixMilli(-1) is no time at all
	Headers   map[string]string
}

// Transfer is the record of a transaction as the generator writes it.
func Transfer(city string, at time.Time, source, target, amount uint32) Record {
	key := strconv.AppendUint(nil, uint64(source), 10)
	key = append(key, ' ')
	key = strconv.AppendUint(key, uint64(target), 10)
	value := append(slices.Clone(key), ' ')
	return Record{
		City: city, Partition: ByKey, Time: at,
		Key: key, Value: strconv.AppendUint(value, uint64(amount), 10),
	}
}

// topicClient talks to the brokers for the test.
type topicClient struct {
	kafka *kgo.Client
	admin *kadm.Client
}

func newTopicClient(t testing.TB, brokers []string) topicClient {
	t.Helper()
	kafka, err := kgo.NewClient(
		kgo.SeedBrokers(brokers...),
		kgo.RecordPartitioner(Partitioner()),
		kgo.MaxBufferedRecords(1<<20),
		kgo.ProducerBatchMaxBytes(1<<20), // as large as brokers accept
		kgo.ProducerLinger(0),
		kgo.MetadataMinAge(50*time.Millisecond), // topics come, go and grow
		kgo.UnknownTopicRetries(-1),             // brokers that have just been started do not know yet what they have
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafka.Close)
	return topicClient{kafka: kafka, admin: kadm.NewClient(kafka)}
}

// Partitioner is that of the records that tests send.
func Partitioner() kgo.Partitioner { return kgo.BasicConsistentPartitioner(partitionOf) }

// partitionOf is the partitioner: the record's own choice, else that of its key.
func partitionOf(string) func(*kgo.Record, int) int {
	byKey := kgo.SaramaCompatHasher(func(key []byte) uint32 {
		hash := fnv.New32a()
		_, _ = hash.Write(key) // never fails
		return hash.Sum32()
	})
	return func(r *kgo.Record, partitions int) int {
		if r.Partition == ByKey {
			return byKey(r.Key, partitions)
		}
		return int(r.Partition)
	}
}

func (s *System) context() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), Patience)
}

// CreateTopics creates topics with this number of partitions.
func (s *System) CreateTopics(partitions int32, topics ...string) {
	s.t.Helper()
	if err := s.TryCreateTopics(partitions, topics...); err != nil {
		s.t.Fatalf("create topics %v: %v", topics, err)
	}
}

// TryCreateTopics is CreateTopics that returns the error.
func (s *System) TryCreateTopics(partitions int32, topics ...string) error {
	ctx, cancel := s.context()
	defer cancel()
	created, err := s.topic.admin.CreateTopics(ctx, partitions, -1, nil, topics...)
	if err != nil {
		return err
	}
	return created.Error()
}

// CreateTopicOn creates a topic with this number of partitions, all of them on one broker alone.
func (s *System) CreateTopicOn(broker, partitions int32, topic string) {
	s.t.Helper()
	ctx, cancel := s.context()
	defer cancel()
	placed := kmsg.NewCreateTopicsRequestTopic()
	placed.Topic, placed.NumPartitions, placed.ReplicationFactor = topic, -1, -1
	for partition := range partitions {
		at := kmsg.NewCreateTopicsRequestTopicReplicaAssignment()
		at.Partition, at.Replicas = partition, []int32{broker}
		placed.ReplicaAssignment = append(placed.ReplicaAssignment, at)
	}
	request := kmsg.NewPtrCreateTopicsRequest()
	request.Topics = append(request.Topics, placed)
	answer, err := request.RequestWith(ctx, s.topic.kafka)
	if err == nil {
		err = kerr.ErrorForCode(answer.Topics[0].ErrorCode)
	}
	if err != nil {
		s.t.Fatalf("create topic %s on broker %d: %v", topic, broker, err)
	}
}

// DeleteTopics deletes topics and what is in them. It waits until the brokers do not know them any more: a controller
// answers before that, and what is sent meanwhile would be acknowledged, and then deleted.
func (s *System) DeleteTopics(topics ...string) {
	s.t.Helper()
	ctx, cancel := s.context()
	defer cancel()
	deleted, err := s.topic.admin.DeleteTopics(ctx, topics...)
	if err == nil {
		err = deleted.Error()
	}
	if err != nil {
		s.t.Fatalf("delete topics %v: %v", topics, err)
	}
	Eventually(s.t, func() (bool, string) {
		known, err := s.known(ctx, topics)
		return err == nil && len(known) == 0, fmt.Sprintf("the brokers still know %v: %v", known, err)
	})
}

// known are those of the topics that a broker knows. It asks one: what clients remember is seconds old.
func (s *System) known(ctx context.Context, topics []string) ([]string, error) {
	request := kmsg.NewPtrMetadataRequest()
	for _, topic := range topics {
		asked := kmsg.NewMetadataRequestTopic()
		asked.Topic = kmsg.StringPtr(topic)
		request.Topics = append(request.Topics, asked)
	}
	answer, err := request.RequestWith(ctx, s.topic.kafka)
	if err != nil {
		return nil, err
	}
	var known []string
	for _, topic := range answer.Topics {
		if topic.ErrorCode != kerr.UnknownTopicOrPartition.Code {
			known = append(known, *topic.Topic)
		}
	}
	return known, nil
}

// AddPartitions adds to the number of partitions of topics.
func (s *System) AddPartitions(add int, topics ...string) {
	s.t.Helper()
	ctx, cancel := s.context()
	defer cancel()
	grown, err := s.topic.admin.CreatePartitions(ctx, add, topics...)
	if err == nil {
		err = grown.Error()
	}
	if err != nil {
		s.t.Fatalf("add partitions to %v: %v", topics, err)
	}
}

// Produce puts the records into their topics, each partition's in the order given, and returns when all
// have been acknowledged by all replicas.
func (s *System) Produce(records ...Record) {
	s.t.Helper()
	ctx, cancel := s.context()
	defer cancel()
	failed := make(chan error, 1)
	for i := range records {
		s.topic.kafka.Produce(ctx, outgoing(&records[i]), func(_ *kgo.Record, err error) {
			if err != nil {
				select {
				case failed <- err:
				default: // the first says enough
				}
			}
		})
	}
	if err := s.topic.kafka.Flush(ctx); err != nil {
		s.t.Fatalf("produce %d records: %v", len(records), err)
	}
	select {
	case err := <-failed:
		s.t.Fatalf("produce %d records: %v", len(records), err)
	default:
	}
}

func outgoing(r *Record) *kgo.Record {
	out := &kgo.Record{Topic: r.City, Partition: r.Partition, Key: r.Key, Value: r.Value, Timestamp: r.Time}
	for _, name := range slices.Sorted(maps.Keys(r.Headers)) {
		out.Headers = append(out.Headers, kgo.RecordHeader{Key: name, Value: []byte(r.Headers[name])})
	}
	return out
}

// Log returns the records of the topics, each partition's in the order of their offsets.
func (s *System) Log(topics ...string) []Record {
	s.t.Helper()
	ends := s.EndOffsets(topics...)
	from, left := map[string]map[int32]kgo.Offset{}, 0
	for topic, partitions := range ends {
		from[topic] = map[int32]kgo.Offset{}
		for partition, end := range partitions {
			from[topic][partition] = kgo.NewOffset().AtStart()
			if end > 0 {
				left++
			}
		}
	}
	if left == 0 {
		return nil
	}
	reader, err := kgo.NewClient(kgo.SeedBrokers(s.Kafka.Addrs()...), kgo.ConsumePartitions(from))
	if err != nil {
		s.t.Fatal(err)
	}
	defer reader.Close()
	ctx, cancel := s.context()
	defer cancel()
	var found []Record
	for left > 0 {
		fetches := reader.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			s.t.Fatalf("read %v: %v, with %d partitions left", topics, err, left)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			end := ends[r.Topic][r.Partition]
			if r.Offset < end {
				found = append(found, incoming(r))
			}
			if r.Offset == end-1 {
				left--
			}
		})
	}
	return found
}

func incoming(r *kgo.Record) Record {
	in := Record{City: r.Topic, Partition: r.Partition, Offset: r.Offset, Key: r.Key, Value: r.Value, Time: r.Timestamp}
	for _, header := range r.Headers {
		if in.Headers == nil {
			in.Headers = map[string]string{}
		}
		in.Headers[header.Key] = string(header.Value)
	}
	return in
}
