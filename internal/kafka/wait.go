package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/IBM/sarama"
	"github.com/sirupsen/logrus"
)

// lookEvery is how often a consumer looks for the topics that it waits for.
const lookEvery = time.Second

// WaitForTopics waits, without ever creating one, until all topics exist and
// each of their partitions has a leader. It logs what it waits for once, and
// when the wait is over. status gets the reason for waiting whenever it
// changes, and "" at the end. The only error is ctx's.
func WaitForTopics(ctx context.Context, client sarama.Client, topics []string, log logrus.FieldLogger, tick func(), status func(reason string)) error {
	saidAs := ""
	start := time.Now()
	for {
		reason, err := Await(ctx, tick, nil, func() (string, error) { return unavailable(client, topics), nil })
		if err != nil {
			return err
		}
		status(reason)
		if reason == "" {
			if saidAs != "" {
				log.WithField("after", time.Since(start).Round(time.Millisecond).String()).Info("all topics are there")
			}
			return nil
		}
		if saidAs == "" {
			log.WithField("reason", reason).Info("waiting for topics")
		} else if reason != saidAs {
			log.WithField("reason", reason).Debug("still waiting for topics")
		}
		saidAs = reason
		if err := pause(ctx, lookEvery, tick); err != nil {
			return err
		}
	}
}

// unavailable tells why not all topics can be used yet, "" when they can.
func unavailable(client sarama.Client, topics []string) string {
	there, err := existingTopics(client)
	if err != nil {
		return "Kafka does not answer: " + Explain(err, client.Config())
	}
	var missing, leaderless []string
	for _, topic := range topics {
		switch {
		case !there[topic]:
			missing = append(missing, topic)
		case !allLed(client, topic):
			leaderless = append(leaderless, topic)
		}
	}
	switch {
	case len(missing) > 0:
		return "missing topics: " + strings.Join(missing, ", ") + hiding(client.Config())
	case len(leaderless) > 0:
		return "topics with a partition that has no leader: " + strings.Join(leaderless, ", ")
	}
	return ""
}

// existingTopics asks the cluster for all its topics. It never names one, as
// that might create it, and is an error after retries when it does not exist.
func existingTopics(client sarama.Client) (map[string]bool, error) {
	// A partition without a leader, perhaps of a topic that is none of ours,
	// is an error here although the answer was taken in.
	if err := client.RefreshMetadata(); err != nil && !errors.Is(err, sarama.ErrLeaderNotAvailable) {
		return nil, fmt.Errorf("list topics: %w", err)
	}
	names, err := client.Topics()
	if err != nil {
		return nil, fmt.Errorf("list topics: %w", err)
	}
	there := make(map[string]bool, len(names))
	for _, name := range names {
		there[name] = true
	}
	return there, nil
}

func allLed(client sarama.Client, topic string) bool {
	all, err := client.Partitions(topic)
	if err != nil || len(all) == 0 {
		return false
	}
	led, err := client.WritablePartitions(topic)
	return err == nil && len(led) == len(all)
}
