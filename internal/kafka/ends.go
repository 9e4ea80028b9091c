package kafka

import (
	"fmt"

	"github.com/IBM/sarama"
)

// EndOffsets returns the offset that the next record of each of the given
// partitions will have, with one request per broker. A partition whose leader
// did not answer for it is missing from the result: its end is not known. The
// error is the last one, where no partition's end could be learnt.
func EndOffsets(client sarama.Client, partitions map[string][]int32) (map[string]map[int32]int64, error) {
	requests, last := endRequests(client, partitions)
	ends := map[string]map[int32]int64{}
	for leader, request := range requests {
		response, err := leader.GetAvailableOffsets(request)
		if err != nil {
			last = fmt.Errorf("ends of partitions on broker %s: %w", leader.Addr(), err)
			_ = leader.Close() // sarama opens it again for the next question
			continue
		}
		if err := collectEnds(client, response, ends); err != nil {
			last = err
		}
	}
	if len(ends) == 0 && last != nil {
		return nil, last
	}
	return ends, nil
}

// endRequests makes one request per leader.
func endRequests(client sarama.Client, partitions map[string][]int32) (map[*sarama.Broker]*sarama.OffsetRequest, error) {
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
			requests[leader].AddBlock(topic, p, sarama.OffsetNewest, 1)
		}
	}
	return requests, last
}

// collectEnds adds what one broker answered. Where it no longer leads a
// partition, the metadata are fetched anew for the next question.
func collectEnds(client sarama.Client, response *sarama.OffsetResponse, ends map[string]map[int32]int64) error {
	var last error
	for topic, blocks := range response.Blocks {
		for p, block := range blocks {
			if block.Err != sarama.ErrNoError {
				last = fmt.Errorf("end of %s/%d: %w", topic, p, block.Err)
				continue
			}
			if ends[topic] == nil {
				ends[topic] = map[int32]int64{}
			}
			ends[topic][p] = block.Offset
		}
		if last != nil {
			_ = client.RefreshMetadata(topic)
		}
	}
	return last
}
