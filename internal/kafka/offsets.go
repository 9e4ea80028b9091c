package kafka

import (
	"errors"
	"fmt"

	"github.com/IBM/sarama"
)

// NoOffset stands for a partition without a committed offset.
const NoOffset = -1

// PartitionCounts returns the number of partitions of each topic.
func PartitionCounts(client sarama.Client, topics []string) (map[string]int32, error) {
	counts := make(map[string]int32, len(topics))
	for _, topic := range topics {
		partitions, err := client.Partitions(topic)
		if err != nil {
			return nil, fmt.Errorf("number of partitions of %s: %w", topic, err)
		}
		counts[topic] = int32(len(partitions))
	}
	return counts, nil
}

// OffsetForTime returns the first offset whose record has the given time or a
// later one, or the end of the partition where there is none. In a log that is
// not in the order of time, everything that is as new or newer still lies at or
// behind that offset. A time before 1970 counts as 1970: to Kafka, negative
// numbers mean other things.
func OffsetForTime(client sarama.Client, topic string, partition int32, millis int64) (int64, error) {
	// The end is asked for first: a record that arrives between the two
	// questions is then read again, not passed over.
	end, err := EndOffset(client, topic, partition)
	if err != nil {
		return 0, err
	}
	offset, err := client.GetOffset(topic, partition, max(millis, 0))
	switch {
	case err != nil:
		return 0, fmt.Errorf("offset of %s/%d at %d ms: %w", topic, partition, millis, err)
	case offset < 0:
		return end, nil
	}
	return offset, nil
}

// EndOffset returns the offset that the next record of the partition will have.
func EndOffset(client sarama.Client, topic string, partition int32) (int64, error) {
	offset, err := client.GetOffset(topic, partition, sarama.OffsetNewest)
	if err != nil {
		return 0, fmt.Errorf("end of %s/%d: %w", topic, partition, err)
	}
	return offset, nil
}

// OldestOffset returns the offset of the first record that the partition still
// holds, or its end when it holds none.
func OldestOffset(client sarama.Client, topic string, partition int32) (int64, error) {
	offset, err := client.GetOffset(topic, partition, sarama.OffsetOldest)
	if err != nil {
		return 0, fmt.Errorf("start of %s/%d: %w", topic, partition, err)
	}
	return offset, nil
}

// Commit is what a group has committed for a partition.
type Commit struct {
	Offset int64 // NoOffset where there is none
	// Topic is which topic of that name was read, as far as the commit says so.
	Topic Identity
}

// CommittedOffsets returns the offsets that the group has committed for the
// partitions of each topic; NoOffset where there is none.
func CommittedOffsets(client sarama.Client, group string, partitions map[string][]int32) (map[string]map[int32]int64, error) {
	commits, err := Commits(client, group, partitions)
	if err != nil {
		return nil, err
	}
	offsets := make(map[string]map[int32]int64, len(commits))
	for topic, of := range commits {
		offsets[topic] = make(map[int32]int64, len(of))
		for partition, commit := range of {
			offsets[topic][partition] = commit.Offset
		}
	}
	return offsets, nil
}

// Commits returns what the group has committed for the partitions of each topic.
func Commits(client sarama.Client, group string, partitions map[string][]int32) (map[string]map[int32]Commit, error) {
	response, err := fetchOffsets(client, group, partitions)
	unknown := errors.Is(err, sarama.ErrGroupIDNotFound) // what some brokers say of a new group
	if err != nil && !unknown {
		return nil, fmt.Errorf("committed offsets of group %s: %w", group, err)
	}
	committed := make(map[string]map[int32]Commit, len(partitions))
	for topic, numbers := range partitions {
		committed[topic] = make(map[int32]Commit, len(numbers))
		for _, partition := range numbers {
			if unknown {
				committed[topic][partition] = Commit{Offset: NoOffset}
				continue
			}
			block := response.GetBlock(topic, partition)
			switch {
			case block == nil:
				return nil, fmt.Errorf("committed offset of group %s on %s/%d: %w", group, topic, partition, sarama.ErrIncompleteResponse)
			case !errors.Is(block.Err, sarama.ErrNoError):
				return nil, fmt.Errorf("committed offset of group %s on %s/%d: %w", group, topic, partition, block.Err)
			}
			committed[topic][partition] = Commit{Offset: max(block.Offset, NoOffset), Topic: Identity(block.Metadata)}
		}
	}
	return committed, nil
}

// fetchOffsets asks the group's coordinator, and once more where it has moved.
func fetchOffsets(client sarama.Client, group string, partitions map[string][]int32) (*sarama.OffsetFetchResponse, error) {
	for attempt := 0; ; attempt++ {
		response, err := askCoordinator(client, group, partitions)
		if err == nil || attempt == 1 {
			return response, err
		}
		if err := client.RefreshCoordinator(group); err != nil {
			return nil, err
		}
	}
}

func askCoordinator(client sarama.Client, group string, partitions map[string][]int32) (*sarama.OffsetFetchResponse, error) {
	coordinator, err := client.Coordinator(group)
	if err != nil {
		return nil, err
	}
	response, err := coordinator.FetchOffset(sarama.NewOffsetFetchRequest(client.Config().Version, group, partitions))
	if err != nil {
		_ = coordinator.Close() // the next attempt opens it again
		return nil, err
	}
	if err := response.GroupError(); !errors.Is(err, sarama.ErrNoError) {
		return nil, err
	}
	return response, nil
}
