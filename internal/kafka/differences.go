package kafka

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/IBM/sarama"
	"github.com/sirupsen/logrus"
)

// logDifferences says what is different about a topic that somebody else has
// created. Nothing of it is an error: the services adapt to what there is.
func (t Topics) logDifferences(ctx context.Context, client sarama.Client, topic string, log logrus.FieldLogger, tick func()) {
	log = log.WithField("topic", topic)
	differences, err := Await(ctx, tick, nil, func() ([]string, error) { return t.differences(client, topic) })
	if err != nil && ctx.Err() == nil {
		log.WithField("reason", Explain(err, client.Config())).
			Info("the configuration of the existing topic cannot be read, using it as it is")
	}
	if len(differences) > 0 {
		log.WithField("differences", strings.Join(differences, ", ")).
			Warn("the existing topic differs from what would be created, using it as it is")
	}
}

// differences returns what it has found, also when it then meets an error.
func (t Topics) differences(client sarama.Client, topic string) ([]string, error) {
	var found []string
	partitions, err := client.Partitions(topic)
	if err != nil {
		return nil, err
	}
	if len(partitions) != int(t.Partitions) {
		found = append(found, fmt.Sprintf("partitions %d instead of %d", len(partitions), t.Partitions))
	}
	replicas, err := client.Replicas(topic, partitions[0])
	if err != nil {
		return found, err
	}
	if want := min(wantedReplicas, len(client.Brokers())); len(replicas) != want {
		found = append(found, fmt.Sprintf("replicas %d instead of %d", len(replicas), want))
	}
	want := wantedConfigs(min(wantedReplicas, len(client.Brokers())))
	got, err := topicConfigs(client, topic, slices.Collect(maps.Keys(want)))
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if got[name] != want[name] {
			found = append(found, fmt.Sprintf("%s %s instead of %s", name, got[name], want[name]))
		}
	}
	return found, err
}

// topicConfigs reads configurations of a topic, which a cluster may not allow us to do.
func topicConfigs(client sarama.Client, topic string, names []string) (map[string]string, error) {
	admin, err := sarama.NewClusterAdminFromClient(client) // not closed: that would close the client
	if err != nil {
		return nil, err
	}
	resource := &sarama.ConfigResource{Type: sarama.TopicResource, Name: topic, ConfigNames: names}
	answers, err := admin.DescribeConfigs([]*sarama.ConfigResource{resource}, sarama.DescribeConfigsOptions{})
	if err != nil {
		return nil, fmt.Errorf("describe configuration: %w", err)
	}
	configs := make(map[string]string, len(names))
	for _, answer := range answers {
		if answer.ErrorCode != 0 {
			return nil, fmt.Errorf("describe configuration: %w", answer.ErrorCode)
		}
		for _, entry := range answer.Configs {
			if slices.Contains(names, entry.Name) {
				configs[entry.Name] = entry.Value
			}
		}
	}
	return configs, nil
}
