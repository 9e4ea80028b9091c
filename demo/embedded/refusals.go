package embedded

import (
	"slices"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// RefuseProduce makes the brokers answer everything that is sent to the topic as if replicas were missing,
// until the function that it returns is called.
func (k *Kafka) RefuseProduce(topic string) (release func()) {
	return k.refuse(kmsg.Produce, func(request kmsg.Request) kmsg.Response {
		produce := request.(*kmsg.ProduceRequest)
		response := produce.ResponseKind().(*kmsg.ProduceResponse)
		for _, t := range produce.Topics {
			if t.Topic != topic {
				return nil
			}
			answer := kmsg.NewProduceResponseTopic()
			answer.Topic, answer.TopicID = t.Topic, t.TopicID
			for _, p := range t.Partitions {
				refused := kmsg.NewProduceResponseTopicPartition()
				refused.Partition, refused.ErrorCode = p.Partition, kerr.NotEnoughReplicas.Code
				answer.Partitions = append(answer.Partitions, refused)
			}
			response.Topics = append(response.Topics, answer)
		}
		return response
	})
}

// RefuseFetch makes the brokers answer whoever wants to read the topic that it has no leader at the moment,
// until the function that it returns is called.
func (k *Kafka) RefuseFetch(topic string) (release func()) {
	return k.refuse(kmsg.Fetch, func(request kmsg.Request) kmsg.Response {
		fetch := request.(*kmsg.FetchRequest)
		response := fetch.ResponseKind().(*kmsg.FetchResponse)
		for _, t := range fetch.Topics {
			if t.Topic != topic {
				return nil
			}
			answer := kmsg.NewFetchResponseTopic()
			answer.Topic, answer.TopicID = t.Topic, t.TopicID
			for _, p := range t.Partitions {
				refused := kmsg.NewFetchResponseTopicPartition()
				refused.Partition, refused.ErrorCode = p.Partition, kerr.LeaderNotAvailable.Code
				answer.Partitions = append(answer.Partitions, refused)
			}
			response.Topics = append(response.Topics, answer)
		}
		if len(response.Topics) == 0 {
			return nil
		}
		return response
	})
}

// RefuseCommits makes the brokers answer the group's commits that it is not the moment, until the function that
// it returns is called.
func (k *Kafka) RefuseCommits(group string) (release func()) {
	return k.refuse(kmsg.OffsetCommit, func(request kmsg.Request) kmsg.Response {
		commit := request.(*kmsg.OffsetCommitRequest)
		if commit.Group != group {
			return nil
		}
		response := commit.ResponseKind().(*kmsg.OffsetCommitResponse)
		for _, t := range commit.Topics {
			answer := kmsg.NewOffsetCommitResponseTopic()
			answer.Topic = t.Topic
			for _, p := range t.Partitions {
				refused := kmsg.NewOffsetCommitResponseTopicPartition()
				refused.Partition, refused.ErrorCode = p.Partition, kerr.CoordinatorLoadInProgress.Code
				answer.Partitions = append(answer.Partitions, refused)
			}
			response.Topics = append(response.Topics, answer)
		}
		return response
	})
}

// refuse has requests of a kind answered by the function, where that returns an answer.
func (k *Kafka) refuse(kind kmsg.Key, answer func(kmsg.Request) kmsg.Response) (release func()) {
	var over atomic.Bool
	k.cluster.ControlKey(kind.Int16(), func(request kmsg.Request) (kmsg.Response, error, bool) {
		if over.Load() {
			k.cluster.DropControl()
			return nil, nil, false
		}
		k.cluster.KeepControl()
		response := answer(request)
		return response, nil, response != nil
	})
	return func() { over.Store(true) }
}

// StallFetch makes the brokers leave the topic out of what they answer to whoever reads it, until the function
// that it returns is called: as if it had no leader, whatever else is asked for in the same request.
func (k *Kafka) StallFetch(topic string) (release func()) {
	return k.refuse(kmsg.Fetch, func(request kmsg.Request) kmsg.Response {
		fetch := request.(*kmsg.FetchRequest)
		fetch.Topics = slices.DeleteFunc(fetch.Topics, func(t kmsg.FetchRequestTopic) bool { return t.Topic == topic })
		return nil
	})
}
