package kafka

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/IBM/sarama"
)

const (
	// fetchWait is how long a broker may wait for the records of a Reader.
	fetchWait = 20 * time.Millisecond
	// answerBytes is about how much a broker may answer. The first batch comes however large it is.
	answerBytes = 50 << 20
)

// brokers is the source of a Reader: each partition's leader, through a client.
type brokers struct{ client sarama.Client }

func (b brokers) fetch(ctx context.Context, topic string, partition int32, offset int64, bytes int32, tick func()) (*sarama.FetchResponseBlock, error) {
	return Await(ctx, tick, nil, func() (*sarama.FetchResponseBlock, error) {
		block, err := b.ask(topic, partition, offset, bytes)
		if err != nil && !errors.Is(err, sarama.ErrOffsetOutOfRange) {
			// Perhaps the leader has moved. A failure of this shows at the next attempt.
			_ = b.client.RefreshMetadata(topic)
		}
		return block, err
	})
}

func (b brokers) ask(topic string, partition int32, offset int64, bytes int32) (*sarama.FetchResponseBlock, error) {
	leader, epoch, err := b.client.LeaderAndEpoch(topic, partition)
	if err != nil {
		return nil, err
	}
	request := b.request(fetchWait, 1)
	request.AddBlock(topic, partition, offset, bytes, epoch)
	response, err := leader.Fetch(request)
	if err != nil {
		_ = leader.Close() // whatever has broken it, the next attempt opens it again
		return nil, err
	}
	block := response.GetBlock(topic, partition)
	switch {
	case response.ErrorCode != 0:
		return nil, sarama.KError(response.ErrorCode)
	case block == nil:
		return nil, sarama.ErrIncompleteResponse
	case !errors.Is(block.Err, sarama.ErrNoError):
		return nil, block.Err
	}
	return block, nil
}

// request asks a broker to wait for so many bytes to come for so long.
func (b brokers) request(wait time.Duration, bytes int32) *sarama.FetchRequest {
	cfg := b.client.Config()
	return &sarama.FetchRequest{
		Version:      fetchVersion(cfg.Version),
		MaxWaitTime:  int32(wait.Milliseconds()),
		MinBytes:     bytes,
		MaxBytes:     answerBytes,
		Isolation:    sarama.ReadCommitted,
		SessionEpoch: -1, // no fetch session
		RackID:       cfg.RackID,
	}
}

func (b brokers) leader(topic string, partition int32) (broker, epoch int32, err error) {
	leader, epoch, err := b.client.LeaderAndEpoch(topic, partition)
	if err != nil {
		return 0, 0, err
	}
	return leader.ID(), epoch, nil
}

func (b brokers) first(topic string, partition int32) (int64, error) {
	return OldestOffset(b.client, topic, partition)
}

// refresh hides a failure: what is then still unknown, leader finds missing, and what is out of date, the broker tells.
func (b brokers) refresh(topics []string) { _ = b.client.RefreshMetadata(topics...) }

func (b brokers) fetchFrom(broker int32, asks []ask, wait time.Duration) (*sarama.FetchResponse, error) {
	leader, err := b.client.Broker(broker)
	if err != nil {
		return nil, err
	}
	request := b.request(wait, b.client.Config().Consumer.Fetch.Min)
	for _, a := range asks {
		request.AddBlock(a.topic, a.partition, a.offset, a.bytes, a.epoch)
	}
	response, err := leader.Fetch(request)
	switch {
	case err != nil:
		if len(asks) == 1 || isTransport(err) { // else it is perhaps only what one partition holds
			_ = leader.Close() // the next attempt opens it again
		}
		return nil, err
	case response.ErrorCode != 0:
		return nil, sarama.KError(response.ErrorCode)
	}
	return response, nil
}

func (b brokers) oldest(ctx context.Context, topic string, partition int32, tick func()) (int64, error) {
	return Await(ctx, tick, nil, func() (int64, error) { return OldestOffset(b.client, topic, partition) })
}

// fetchVersion is the newest fetch request that sarama and a Kafka of that
// version know. sarama lowers it to what the broker knows, but never raises it.
func fetchVersion(v sarama.KafkaVersion) int16 {
	for _, f := range []struct {
		since   sarama.KafkaVersion
		version int16
	}{
		{sarama.V2_7_0_0, 12}, {sarama.V2_3_0_0, 11}, {sarama.V2_1_0_0, 10},
		{sarama.V2_0_0_0, 8}, {sarama.V1_1_0_0, 7}, {sarama.V1_0_0_0, 6},
	} {
		if v.IsAtLeast(f.since) {
			return f.version
		}
	}
	return 5 // of Kafka 0.11, the first with transactions
}

// LeaderMoved tells whether an error only says that another broker leads the partition, or is about to.
func LeaderMoved(err error) bool {
	return slices.ContainsFunc([]error{
		sarama.ErrNotLeaderForPartition, sarama.ErrLeaderNotAvailable, sarama.ErrReplicaNotAvailable,
		sarama.ErrFencedLeaderEpoch, sarama.ErrUnknownLeaderEpoch, sarama.ErrUnknownTopicOrPartition,
	}, func(moved error) bool { return errors.Is(err, moved) })
}
