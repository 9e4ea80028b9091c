package kafka

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/IBM/sarama"
)

func TestOffsets(t *testing.T) {
	t.Parallel()
	broker := newBroker(t, "127.0.0.1:0", withTopics("London"), handlers{
		"OffsetRequest": sarama.NewMockOffsetResponse(t).
			SetOffset("London", 2, sarama.OffsetNewest, 90).
			SetOffset("London", 2, sarama.OffsetOldest, 10).
			SetOffset("London", 2, 0, 10).
			SetOffset("London", 2, 1500, 40).
			SetOffset("London", 2, 9999, -1),
	})
	client := connectTo(t, broker)
	for _, test := range []struct {
		name string
		ask  func() (int64, error)
		want int64
	}{
		{"a time within", func() (int64, error) { return OffsetForTime(client, "London", 2, 1500) }, 40},
		{"nothing as new", func() (int64, error) { return OffsetForTime(client, "London", 2, 9999) }, 90},
		{"a time before 1970", func() (int64, error) { return OffsetForTime(client, "London", 2, -1) }, 10},
		{"long before 1970", func() (int64, error) { return OffsetForTime(client, "London", 2, -2) }, 10},
		{"the end", func() (int64, error) { return EndOffset(client, "London", 2) }, 90},
		{"the start", func() (int64, error) { return OldestOffset(client, "London", 2) }, 10},
	} {
		if got, err := test.ask(); err != nil || got != test.want {
			t.Errorf("%s: got %d, error %v; want %d", test.name, got, err, test.want)
		}
	}
}

// A window of five topics is read back with a question to each broker, not one for each topic.
func TestOffsetsOfSeveralTopicsAreOneQuestion(t *testing.T) {
	t.Parallel()
	topics := []string{"London", "NYC", "SF"}
	answer := sarama.NewMockOffsetResponse(t)
	for i, topic := range topics {
		answer.SetOffset(topic, 2, sarama.OffsetNewest, int64(90+i)).SetOffset(topic, 2, 9999, -1)
	}
	moved := &sarama.OffsetResponse{Version: 6, Blocks: map[string]map[int32]*sarama.OffsetResponseBlock{}}
	for i, topic := range topics {
		moved.Blocks[topic] = map[int32]*sarama.OffsetResponseBlock{2: {Offset: int64(90 + i), Offsets: []int64{int64(90 + i)}}}
	}
	moved.Blocks["NYC"][2] = &sarama.OffsetResponseBlock{Err: sarama.ErrNotLeaderForPartition}
	for _, test := range []struct {
		name      string
		answer    any
		at        int64
		want      []int64
		questions int
	}{
		{"the ends", answer, sarama.OffsetNewest, []int64{90, 91, 92}, 1},
		{"nothing as new", answer, 9999, []int64{NoOffset, NoOffset, NoOffset}, 1},
		{"a leader has moved", sarama.NewMockSequence(moved, answer), sarama.OffsetNewest, []int64{90, 91, 92}, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			broker := newBroker(t, "127.0.0.1:0", withTopics(topics...), handlers{"OffsetRequest": test.answer.(sarama.MockResponse)})
			got, err := OffsetsAt(connectTo(t, broker), topics, 2, test.at)
			if err != nil || !slices.Equal(got, test.want) {
				t.Errorf("got %v, error %v; want %v", got, err, test.want)
			}
			questions := 0
			for _, exchange := range broker.History() {
				if _, ok := exchange.Request.(*sarama.OffsetRequest); ok {
					questions++
				}
			}
			if questions != test.questions {
				t.Errorf("got %d questions, want %d", questions, test.questions)
			}
		})
	}
}

func TestOffsetsOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	client := connectTo(t, newBroker(t, "127.0.0.1:0", nil, nil))
	_, err := OffsetForTime(client, "Paris", 2, 1500)
	if !errors.Is(err, sarama.ErrUnknownTopicOrPartition) || !strings.Contains(err.Error(), "Paris/2") {
		t.Errorf("got error %v", err)
	}
	if _, err := OffsetsAt(client, []string{"Paris"}, 2, 1500); !errors.Is(err, sarama.ErrUnknownTopicOrPartition) || !strings.Contains(err.Error(), "Paris/2") {
		t.Errorf("got error %v", err)
	}
	if _, err := PartitionCounts(client, []string{"Paris"}); !errors.Is(err, sarama.ErrUnknownTopicOrPartition) {
		t.Errorf("got error %v", err)
	}
}

func TestCommittedOffsets(t *testing.T) {
	t.Parallel()
	answer := sarama.NewMockOffsetFetchResponse(t).
		SetOffset("detector", "London", 0, 42, "", sarama.ErrNoError).
		SetOffset("detector", "London", 1, -1, "", sarama.ErrNoError)
	moved := sarama.NewMockOffsetFetchResponse(t).SetError(sarama.ErrNotCoordinatorForConsumer)
	broker := newBroker(t, "127.0.0.1:0", withTopics("London"), nil)
	coordinator := sarama.NewMockFindCoordinatorResponse(t).SetCoordinator(sarama.CoordinatorGroup, "detector", broker)
	broker.SetHandlerByMap(handlers{
		"ApiVersionsRequest":     sarama.NewMockApiVersionsResponse(t).SetApiKeys(nil),
		"MetadataRequest":        metadata(t, broker, withTopics("London")),
		"FindCoordinatorRequest": coordinator,
		"OffsetFetchRequest":     sarama.NewMockSequence(moved, answer),
	})
	got, err := CommittedOffsets(connectTo(t, broker), "detector", map[string][]int32{"London": {0, 1}})
	if err != nil {
		t.Fatalf("CommittedOffsets: %v", err)
	}
	if got["London"][0] != 42 || got["London"][1] != NoOffset {
		t.Errorf("got %v", got)
	}
}
