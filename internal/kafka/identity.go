package kafka

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/IBM/sarama"
)

// Identity tells a topic from another one that had its name before, or has it in another cluster. Brokers before
// Kafka 2.8 give topics none: it is empty then.
type Identity string

// Replaces tells whether the topic is another one than that of the older identity, in the same cluster. Where
// either is not known, nothing was replaced as far as one can tell.
func (i Identity) Replaces(older Identity) bool {
	cluster, topic, known := strings.Cut(string(i), "/")
	olderCluster, olderTopic, olderKnown := strings.Cut(string(older), "/")
	return known && olderKnown && cluster == olderCluster && topic != olderTopic
}

// Identities returns the identities of the topics that exist and have one.
func Identities(client sarama.Client, topics []string) (map[string]Identity, error) {
	request := sarama.NewMetadataRequest(client.Config().Version, topics)
	request.AllowAutoTopicCreation = false
	broker := client.LeastLoadedBroker()
	if broker == nil {
		return nil, sarama.ErrOutOfBrokers
	}
	if err := broker.Open(client.Config()); err != nil && !errors.Is(err, sarama.ErrAlreadyConnected) {
		return nil, fmt.Errorf("identities of topics: %w", err)
	}
	response, err := broker.GetMetadata(request)
	if err != nil {
		_ = broker.Close() // the next question opens it again
		return nil, fmt.Errorf("identities of topics: %w", err)
	}
	cluster := ""
	if response.ClusterID != nil {
		cluster = *response.ClusterID
	}
	found := make(map[string]Identity, len(topics))
	for _, topic := range response.Topics {
		if topic.Err == sarama.ErrNoError && topic.Uuid != (sarama.Uuid{}) {
			found[topic.Name] = Identity(cluster + "/" + base64.RawURLEncoding.EncodeToString(topic.Uuid[:]))
		}
	}
	return found, nil
}
