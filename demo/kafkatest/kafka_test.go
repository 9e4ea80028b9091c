// Package kafkatest tests internal/kafka against the embedded broker: what a
// made-up answer cannot show.
package kafkatest

import (
	"context"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/sirupsen/logrus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"fintrans/demo/embedded"
	"fintrans/internal/kafka"
	"fintrans/internal/service"
	"fintrans/internal/transaction"
)

const (
	topic     = "London"
	partition = 0
	start     = 1_700_000_000_000 // of the clock of the records
)

func startKafka(t *testing.T, options embedded.KafkaOptions) *embedded.Kafka {
	t.Helper()
	k, err := embedded.StartKafka(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

func quiet() *logrus.Logger {
	log := logrus.New()
	log.SetOutput(io.Discard)
	return log
}

func connect(t *testing.T, k *embedded.Kafka) sarama.Client {
	t.Helper()
	settings := kafka.Settings{Broker: service.Addresses(k.Addrs())}
	cfg, err := settings.Config("kafkatest")
	if err != nil {
		t.Fatal(err)
	}
	client, err := kafka.Connect(t.Context(), settings, cfg, quiet(), func() {})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// produceWith returns a client of another library, so that nobody marks his own work.
func produceWith(t *testing.T, k *embedded.Kafka, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append(options, kgo.SeedBrokers(k.Addrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// write produces records whose value is their number, one batch per call.
func write(t *testing.T, client *kgo.Client, first, count int) {
	t.Helper()
	records := make([]*kgo.Record, count)
	for i := range records {
		n := first + i
		records[i] = &kgo.Record{Topic: topic, Partition: partition, Value: strconv.AppendInt(nil, int64(n), 10), Timestamp: time.UnixMilli(start + int64(n))}
	}
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// inTransaction writes records in a transaction that ends as told.
func inTransaction(t *testing.T, client *kgo.Client, first, count int, end kgo.TransactionEndTry) {
	t.Helper()
	if err := client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	write(t, client, first, count)
	if err := client.EndTransaction(t.Context(), end); err != nil {
		t.Fatal(err)
	}
}

// read returns the numbers that a range holds.
func read(t *testing.T, r *kafka.Reader, from, to int64) (numbers []int, next int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	next, err := r.Read(ctx, topic, partition, from, to, func(records []kafka.Record) bool {
		for _, record := range records {
			n, err := strconv.Atoi(string(record.Value))
			if err != nil || record.Millis != start+int64(n) {
				t.Errorf("offset %d: got value %q at %d", record.Offset, record.Value, record.Millis)
			}
			numbers = append(numbers, n)
		}
		return true
	})
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	return numbers, next
}

func numbers(ranges ...[2]int) []int {
	var all []int
	for _, r := range ranges {
		for n := r[0]; n < r[1]; n++ {
			all = append(all, n)
		}
	}
	return all
}

func TestReaderSeesWhatIsCommitted(t *testing.T) {
	t.Parallel()
	k := startKafka(t, embedded.KafkaOptions{Topics: map[string]int32{topic: 1}})
	plain := produceWith(t, k)
	inTx := produceWith(t, k, kgo.TransactionalID("tx"))
	write(t, plain, 0, 10)                       // offsets 0-9
	inTransaction(t, inTx, 10, 5, kgo.TryCommit) // 10-14, marker 15
	inTransaction(t, inTx, 100, 5, kgo.TryAbort) // 16-20, marker 21
	write(t, plain, 15, 5)                       // 22-26
	inTransaction(t, inTx, 20, 5, kgo.TryCommit) // 27-31, marker 32
	r := kafka.NewReader(connect(t, k))
	for _, test := range []struct {
		name     string
		from, to int64
		want     []int
		next     int64
	}{
		{"all, ending with a marker", 0, 33, numbers([2]int{0, 25}), 33},
		{"more than there is", 0, 1000, numbers([2]int{0, 25}), 33},
		{"within a batch", 3, 7, numbers([2]int{3, 7}), 7},
		{"only what is aborted", 16, 21, nil, 21},
		{"from within what is aborted", 18, 24, numbers([2]int{15, 17}), 24},
		{"only a marker", 15, 16, nil, 16},
		{"behind the end", 33, 40, nil, 33},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, next := read(t, r, test.from, test.to)
			if !slices.Equal(got, test.want) || next != test.next {
				t.Errorf("got %v, next %d; want %v, %d", got, next, test.want, test.next)
			}
		})
	}
}

func TestReaderStopsAtAnOpenTransaction(t *testing.T) {
	t.Parallel()
	k := startKafka(t, embedded.KafkaOptions{Topics: map[string]int32{topic: 1}})
	plain, inTx := produceWith(t, k), produceWith(t, k, kgo.TransactionalID("tx"))
	write(t, plain, 0, 10)
	if err := inTx.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	write(t, inTx, 10, 5)
	write(t, plain, 15, 5)
	r := kafka.NewReader(connect(t, k))
	if got, next := read(t, r, 0, 20); !slices.Equal(got, numbers([2]int{0, 10})) || next != 10 {
		t.Errorf("while it is open: got %v, next %d", got, next)
	}
	if err := inTx.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	if got, next := read(t, r, 10, 20); !slices.Equal(got, numbers([2]int{10, 20})) || next != 20 {
		t.Errorf("after its end: got %v, next %d", got, next)
	}
}

func TestReaderReadsEveryCompression(t *testing.T) {
	t.Parallel()
	k := startKafka(t, embedded.KafkaOptions{Topics: map[string]int32{topic: 1}})
	n := 0
	for _, codec := range []kgo.CompressionCodec{
		kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression(),
	} {
		write(t, produceWith(t, k, kgo.ProducerBatchCompression(codec)), n, 500)
		n += 500
	}
	got, next := read(t, kafka.NewReader(connect(t, k)), 0, int64(n))
	if !slices.Equal(got, numbers([2]int{0, n})) || next != int64(n) {
		t.Errorf("got %d records, next %d; want %d", len(got), next, n)
	}
}

func TestReaderGoesOnAfterAnOutage(t *testing.T) {
	t.Parallel()
	k := startKafka(t, embedded.KafkaOptions{Brokers: 3, Topics: map[string]int32{topic: 1}})
	const count = 200_000
	write(t, produceWith(t, k), 0, count)
	r := kafka.NewReader(connect(t, k))
	failed := make(chan struct{}, 1)
	r.Retry = func(string, int32, error) {
		select {
		case failed <- struct{}{}:
		default:
		}
	}
	k.Down()
	type result struct {
		numbers []int
		next    int64
	}
	done := make(chan result, 1)
	go func() {
		numbers, next := read(t, r, 0, count)
		done <- result{numbers, next}
	}()
	<-failed
	if err := k.Up(); err != nil {
		t.Error(err)
	}
	if got := <-done; !slices.Equal(got.numbers, numbers([2]int{0, count})) || got.next != count {
		t.Errorf("got %d records, next %d; want %d", len(got.numbers), got.next, count)
	}
}

func TestReaderJumpsOverDeletedRecords(t *testing.T) {
	t.Parallel()
	k := startKafka(t, embedded.KafkaOptions{Topics: map[string]int32{topic: 1}})
	producer := produceWith(t, k)
	write(t, producer, 0, 100)
	var offsets kadm.Offsets
	offsets.Add(kadm.Offset{Topic: topic, Partition: partition, At: 40})
	if deleted, err := kadm.NewClient(producer).DeleteRecords(t.Context(), offsets); err != nil || deleted.Error() != nil {
		t.Fatal(err, deleted.Error())
	}
	r := kafka.NewReader(connect(t, k))
	var missing []int64
	r.Missing = func(_ string, _ int32, from, to int64) { missing = append(missing, from, to) }
	got, next := read(t, r, 10, 100)
	if !slices.Equal(got, numbers([2]int{40, 100})) || next != 100 || !slices.Equal(missing, []int64{10, 40}) {
		t.Errorf("got %d records, next %d, missing %v", len(got), next, missing)
	}
}

func TestOffsetsByTime(t *testing.T) {
	t.Parallel()
	k := startKafka(t, embedded.KafkaOptions{Topics: map[string]int32{topic: 1}})
	client := connect(t, k)
	if got, err := kafka.OffsetForTime(client, topic, partition, start); err != nil || got != 0 {
		t.Errorf("empty partition: got %d, error %v", got, err)
	}
	producer := produceWith(t, k)
	for n := range 10 {
		write(t, producer, n, 1)
	}
	for _, test := range []struct{ millis, want int64 }{
		{start, 0}, {start + 4, 4}, {start + 9, 9}, {start + 10, 10}, {0, 0}, {-1, 0}, {-2, 0},
	} {
		if got, err := kafka.OffsetForTime(client, topic, partition, test.millis); err != nil || got != test.want {
			t.Errorf("%d: got %d, error %v; want %d", test.millis, got, err, test.want)
		}
	}
}

func TestOffsetsThatAreCommitted(t *testing.T) {
	t.Parallel()
	k := startKafka(t, embedded.KafkaOptions{Topics: map[string]int32{topic: 2}})
	var offsets kadm.Offsets
	offsets.Add(kadm.Offset{Topic: topic, Partition: 1, At: 42})
	if err := kadm.NewClient(produceWith(t, k)).CommitAllOffsets(t.Context(), "detector", offsets); err != nil {
		t.Fatal(err)
	}
	client := connect(t, k)
	for group, want := range map[string]map[int32]int64{
		"detector": {0: kafka.NoOffset, 1: 42}, "unheard of": {0: kafka.NoOffset, 1: kafka.NoOffset},
	} {
		got, err := kafka.CommittedOffsets(client, group, map[string][]int32{topic: {0, 1}})
		if err != nil || !maps.Equal(got[topic], want) {
			t.Errorf("%s: got %v, error %v; want %v", group, got, err, want)
		}
	}
}

func TestTopicsAreMade(t *testing.T) {
	t.Parallel()
	k := startKafka(t, embedded.KafkaOptions{Brokers: 3, Topics: map[string]int32{"NYC": 2}})
	client := connect(t, k)
	reasons := make(chan string, 1000)
	waited := make(chan error, 1)
	other := connect(t, k)
	go func() {
		waited <- kafka.WaitForTopics(t.Context(), other, transaction.Cities(), quiet(), func() {}, func(reason string) { reasons <- reason })
	}()
	if reason := <-reasons; !strings.Contains(reason, "missing topics: London, SF, Moscow, Tokyo") {
		t.Errorf("got reason %q", reason)
	}
	topics := kafka.Topics{Names: transaction.Cities(), Settle: 50 * time.Millisecond}
	for range 2 { // the second time there is nothing to do
		if err := topics.Ensure(t.Context(), client, quiet(), func() {}); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-waited; err != nil {
		t.Errorf("WaitForTopics: %v", err)
	}
	counts, err := kafka.PartitionCounts(other, transaction.Cities())
	if want := map[string]int32{"London": 6, "NYC": 2, "SF": 6, "Moscow": 6, "Tokyo": 6}; err != nil || !maps.Equal(counts, want) {
		t.Errorf("got %v, error %v; want %v", counts, err, want)
	}
	if replicas, err := other.Replicas("London", 5); err != nil || len(replicas) != 3 {
		t.Errorf("got replicas %v, error %v", replicas, err)
	}
	configs, err := kadm.NewClient(produceWith(t, k)).DescribeTopicConfigs(t.Context(), "London")
	if err != nil {
		t.Fatal(err)
	}
	for _, config := range configs[0].Configs {
		if want := map[string]string{"retention.ms": "86400000", "min.insync.replicas": "2"}[config.Key]; want != "" && config.MaybeValue() != want {
			t.Errorf("%s: got %s, want %s", config.Key, config.MaybeValue(), want)
		}
	}
}

// BenchmarkReader reads a partition back as the detector does when it starts.
func BenchmarkReader(b *testing.B) {
	k, err := embedded.StartKafka(embedded.KafkaOptions{Topics: map[string]int32{topic: 1}})
	if err != nil {
		b.Fatal(err)
	}
	defer k.Close()
	producer, err := kgo.NewClient(kgo.SeedBrokers(k.Addrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		b.Fatal(err)
	}
	defer producer.Close()
	const count = 500_000
	for range count {
		producer.Produce(b.Context(), &kgo.Record{Topic: topic, Key: []byte("396 465"), Value: []byte("396 465 6789")}, nil)
	}
	if err := producer.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	settings := kafka.Settings{Broker: service.Addresses(k.Addrs())}
	cfg, err := settings.Config("benchmark")
	if err != nil {
		b.Fatal(err)
	}
	client, err := sarama.NewClient(k.Addrs(), cfg)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	r := kafka.NewReader(client)
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		if _, err := r.Read(b.Context(), topic, partition, 0, count, func(records []kafka.Record) bool { n += len(records); return true }); err != nil || n != count {
			b.Fatalf("got %d records, error %v", n, err)
		}
	}
	b.ReportMetric(float64(count)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
