package kafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/IBM/sarama"
	"github.com/sirupsen/logrus"
)

// What a topic of ours is created with.
const (
	Partitions      = 6
	wantedReplicas  = 3
	retention       = 24 * time.Hour
	retentionConfig = "retention.ms"
	minISRConfig    = "min.insync.replicas"
)

// Topics makes sure that topics exist.
type Topics struct {
	Names      []string
	Partitions int32 // of each topic; 0 = Partitions
	// Settle is how long the number of brokers has to stay the same before it
	// decides the number of replicas; 0 = 10 s. A cluster that has just been
	// started reports its brokers one by one.
	Settle time.Duration
	// Status, where it is not nil, is called with the reason whenever the topics cannot be created: for /ready.
	Status func(reason string)
}

// Ensure creates the topics that are missing, with 3 replicas where there are
// that many brokers, one of which may be away for writing to go on. It leaves
// existing ones alone and logs what is different about them. It tries until
// all exist; the only error is ctx's.
func (t Topics) Ensure(ctx context.Context, client sarama.Client, log logrus.FieldLogger, tick func()) error {
	if t.Partitions == 0 {
		t.Partitions = Partitions
	}
	if t.Settle == 0 {
		t.Settle = 10 * time.Second
	}
	trouble := Trouble{
		Log: log, Config: client.Config(),
		Failing: "topics cannot be created, trying again", Settled: "topics are there",
		Status: t.Status,
	}
	first := true
	_, err := Persist(ctx, trouble, tick, nil, func() (struct{}, error) {
		err := t.ensure(ctx, client, first, log, tick)
		first = false
		return struct{}{}, err
	})
	return err
}

func (t Topics) ensure(ctx context.Context, client sarama.Client, firstAttempt bool, log logrus.FieldLogger, tick func()) error {
	existing, missing, err := t.sort(ctx, client, tick)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		if firstAttempt {
			log.WithField("topics", missing).Info("creating topics as soon as the number of brokers stands")
		}
		brokers, err := settledBrokers(ctx, client, t.Settle, tick)
		if err != nil {
			return err
		}
		for _, topic := range missing {
			if err := t.create(ctx, client, topic, min(wantedReplicas, brokers), log, tick); err != nil {
				return err
			}
		}
	}
	for _, topic := range existing {
		t.logDifferences(ctx, client, topic, log, tick)
	}
	return nil
}

// sort asks the cluster which of the topics exist.
func (t Topics) sort(ctx context.Context, client sarama.Client, tick func()) (existing, missing []string, err error) {
	there, err := Await(ctx, tick, nil, func() (map[string]bool, error) { return existingTopics(client) })
	if err != nil {
		return nil, nil, err
	}
	for _, name := range t.Names {
		if there[name] {
			existing = append(existing, name)
		} else {
			missing = append(missing, name)
		}
	}
	return existing, missing, nil
}

// settledBrokers returns the number of brokers once it has stayed the same for as long as settle.
func settledBrokers(ctx context.Context, client sarama.Client, settle time.Duration, tick func()) (int, error) {
	count, since := 0, time.Now()
	for {
		brokers, err := Await(ctx, tick, nil, func() (int, error) {
			_, err := existingTopics(client)
			return len(client.Brokers()), err
		})
		switch {
		case err != nil:
			return 0, fmt.Errorf("count brokers: %w", err)
		case brokers != count || brokers == 0:
			count, since = brokers, time.Now()
		case time.Since(since) >= settle:
			return count, nil
		}
		if err := pause(ctx, min(settle/10, time.Second)+time.Millisecond, tick); err != nil {
			return 0, err
		}
	}
}

func (t Topics) create(ctx context.Context, client sarama.Client, topic string, replicas int, log logrus.FieldLogger, tick func()) error {
	detail := &sarama.TopicDetail{
		NumPartitions:     t.Partitions,
		ReplicationFactor: int16(replicas),
		ConfigEntries:     map[string]*string{},
	}
	for name, value := range wantedConfigs(replicas) {
		detail.ConfigEntries[name] = &value
	}
	_, err := Await(ctx, tick, nil, func() (struct{}, error) {
		admin, err := sarama.NewClusterAdminFromClient(client) // not closed: that would close the client
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, admin.CreateTopic(topic, detail, false)
	})
	log = log.WithFields(logrus.Fields{"topic": topic, "partitions": t.Partitions, "replicas": replicas})
	switch {
	case errors.Is(err, sarama.ErrTopicAlreadyExists):
		log.Info("somebody else has created the topic first")
		return nil
	case err != nil:
		return fmt.Errorf("create topic %s: %w", topic, err)
	}
	log.Info("topic created")
	return nil
}

// wantedConfigs are the configurations of a topic with that many replicas.
func wantedConfigs(replicas int) map[string]string {
	configs := map[string]string{retentionConfig: strconv.FormatInt(retention.Milliseconds(), 10)}
	if replicas == wantedReplicas {
		configs[minISRConfig] = "2"
	}
	return configs
}
