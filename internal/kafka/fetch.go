package kafka

import (
	"context"
	"errors"
	"math"

	"github.com/IBM/sarama"
)

// fetchWait is how many milliseconds a broker waits for records to come.
const fetchWait = 20

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
	cfg := b.client.Config()
	request := &sarama.FetchRequest{
		Version:      fetchVersion(cfg.Version),
		MaxWaitTime:  fetchWait,
		MinBytes:     1,
		MaxBytes:     math.MaxInt32,
		Isolation:    sarama.ReadCommitted,
		SessionEpoch: -1, // no fetch session
		RackID:       cfg.RackID,
	}
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
