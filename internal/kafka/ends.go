package kafka

import (
	"fmt"
	"maps"
	"slices"

	"github.com/IBM/sarama"
)

// EndOffsets returns the offset that the next record of each of the given
// partitions will have, with one request per broker. A partition whose leader
// did not answer for it is missing from the result: its end is not known. The
// error is the last one, where no partition's end could be learnt.
func EndOffsets(client sarama.Client, partitions map[string][]int32) (map[string]map[int32]int64, error) {
	ends, err := askOffsets(client, partitions, sarama.OffsetNewest)
	if len(ends) == 0 && err != nil {
		return nil, err
	}
	return ends, nil
}

// OffsetsAt returns, with one request per broker, the first offset of one partition of each topic whose record has the
// time at, in ms since 1970, or a later one; NoOffset where there is none. In place of a time stands
// sarama.OffsetOldest for the first record that is held, or sarama.OffsetNewest for the next one that comes. Like
// sarama's GetOffset it asks once more where that fails, and fails if one offset is not known.
func OffsetsAt(client sarama.Client, topics []string, partition int32, at int64) ([]int64, error) {
	partitions := make(map[string][]int32, len(topics))
	for _, topic := range topics {
		partitions[topic] = []int32{partition}
	}
	found, err := askOffsets(client, partitions, at)
	if err != nil {
		maps.DeleteFunc(partitions, func(topic string, _ []int32) bool { return len(found[topic]) > 0 })
		_ = client.RefreshMetadata(slices.Collect(maps.Keys(partitions))...) // what is still unknown then, shows below
		var again map[string]map[int32]int64
		if again, err = askOffsets(client, partitions, at); err != nil {
			return nil, err
		}
		maps.Copy(found, again)
	}
	offsets := make([]int64, len(topics))
	for i, topic := range topics {
		offset, ok := found[topic][partition]
		if !ok {
			return nil, fmt.Errorf("offset of %s/%d: %w", topic, partition, sarama.ErrIncompleteResponse)
		}
		offsets[i] = offset
	}
	return offsets, nil
}

// askOffsets asks the leaders. What one did not answer is missing; the error is the last one. The metadata are fetched
// anew then for the next question.
func askOffsets(client sarama.Client, partitions map[string][]int32, at int64) (map[string]map[int32]int64, error) {
	requests, last := offsetRequests(client, partitions, at)
	found := map[string]map[int32]int64{}
	for leader, request := range requests {
		response, err := leader.GetAvailableOffsets(request)
		if err != nil {
			last = fmt.Errorf("offsets of partitions on broker %s: %w", leader.Addr(), err)
			_ = leader.Close() // sarama opens it again for the next question
			continue
		}
		if err := collectOffsets(client, response, found); err != nil {
			last = err
		}
	}
	return found, last
}

// offsetRequests makes one request per leader.
func offsetRequests(client sarama.Client, partitions map[string][]int32, at int64) (map[*sarama.Broker]*sarama.OffsetRequest, error) {
	requests := map[*sarama.Broker]*sarama.OffsetRequest{}
	var last error
	for topic, numbers := range partitions {
		for _, p := range numbers {
			leader, err := client.Leader(topic, p)
			if err != nil {
				last = fmt.Errorf("leader of %s/%d: %w", topic, p, err)
				continue
			}
			if requests[leader] == nil {
				requests[leader] = sarama.NewOffsetRequest(client.Config().Version)
			}
			requests[leader].AddBlock(topic, p, at, 1)
		}
	}
	return requests, last
}

// collectOffsets adds what one broker answered. Where it no longer leads a
// partition, the metadata are fetched anew for the next question.
func collectOffsets(client sarama.Client, response *sarama.OffsetResponse, found map[string]map[int32]int64) error {
	var last error
	for topic, blocks := range response.Blocks {
		failed := false
		for p, block := range blocks {
			if block.Err != sarama.ErrNoError {
				last, failed = fmt.Errorf("offset of %s/%d: %w", topic, p, block.Err), true
				continue
			}
			if found[topic] == nil {
				found[topic] = map[int32]int64{}
			}
			found[topic][p] = block.Offset
		}
		if failed {
			_ = client.RefreshMetadata(topic)
		}
	}
	return last
}
