package produce

import (
	"time"

	"github.com/IBM/sarama"
)

// cluster is what a Producer needs of Kafka. Its calls may block for as long as
// sarama's timeouts say.
type cluster interface {
	// partitions returns how many a topic has.
	partitions(topic string) (int32, error)
	// led returns the numbers of the partitions that have a leader.
	led(topic string) ([]int32, error)
	leader(topic string, partition int32) (node, error)
	// refresh asks the cluster where the topics' partitions are now.
	refresh(topics []string) error
	// identify returns an identity that nobody had before.
	identify() (identity, error)
}

// node is a broker.
type node interface {
	ID() int32
	// send hands one request with the batches over. Unless it returns an error, answer is called once, at
	// some time, and must not block.
	send(batches []*Batch, answer func(*sarama.ProduceResponse, error)) error
	// hangUp closes the connection: it is of no use any more.
	hangUp()
}

// identity is a producer id: brokers number the batches of each apart.
type identity struct {
	producer int64
	epoch    int16
}

// nobody is no identity.
var nobody = identity{-1, -1}

// clientCluster is a cluster by way of a sarama.Client.
type clientCluster struct{ sarama.Client }

func (c clientCluster) partitions(topic string) (int32, error) {
	numbers, err := c.Partitions(topic)
	if err == nil && len(numbers) == 0 {
		err = sarama.ErrUnknownTopicOrPartition
	}
	return int32(len(numbers)), err
}

func (c clientCluster) led(topic string) ([]int32, error) { return c.WritablePartitions(topic) }

func (c clientCluster) leader(topic string, partition int32) (node, error) {
	b, err := c.Leader(topic, partition)
	if err != nil {
		return nil, err
	}
	return broker{b, c.Config()}, nil
}

func (c clientCluster) refresh(topics []string) error { return c.RefreshMetadata(topics...) }

func (c clientCluster) identify() (identity, error) {
	answer, err := c.InitProducerID()
	switch {
	case err != nil:
		return nobody, err
	case answer.Err != sarama.ErrNoError:
		return nobody, answer.Err
	}
	return identity{answer.ProducerID, answer.ProducerEpoch}, nil
}

// broker is a node by way of a sarama.Broker.
type broker struct {
	*sarama.Broker
	conf *sarama.Config
}

func (b broker) send(batches []*Batch, answer func(*sarama.ProduceResponse, error)) error {
	request := &sarama.ProduceRequest{
		RequiredAcks: sarama.WaitForAll,
		Timeout:      int32(b.conf.Producer.Timeout / time.Millisecond),
		Version:      requestVersion(b.conf.Version),
	}
	for _, batch := range batches {
		request.AddBatch(batch.Name, batch.Partition, &batch.records)
	}
	return b.AsyncProduce(request, answer)
}

// hangUp may find the connection closed already.
func (b broker) hangUp() { _ = b.Close() }

// requestVersion is the newest version of produce requests that brokers of a
// release and sarama know. A broker that says that it knows only older ones gets those.
func requestVersion(release sarama.KafkaVersion) int16 {
	for _, known := range []struct {
		since   sarama.KafkaVersion
		version int16
	}{
		{sarama.V3_7_0_0, 10}, {sarama.V2_8_0_0, 9}, {sarama.V2_4_0_0, 8}, {sarama.V2_1_0_0, 7}, {sarama.V2_0_0_0, 6}, {sarama.V1_0_0_0, 5},
	} {
		if release.IsAtLeast(known.since) {
			return known.version
		}
	}
	return 3 // the first that has batches of records
}
