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
	// Like are topics that exist already, if any: the largest number of partitions that one of them has is taken. As
	// many brokers as they have replicas are enough then: where those were created, the number has stood.
	Like []string
	// Settle is how long the number of brokers has to stay the same before it
	// decides the number of replicas; 0 = 10 s. A cluster that has just been
	// started reports its brokers one by one.
	Settle time.Duration
	// Status, where it is not nil, is called with the reason whenever the topics cannot be created: for /ready.
	Status func(reason string)

	enough int // brokers whose number need not settle; 0 = none
}

// Ensure creates the topics that are missing, with 3 replicas where there are
// that many brokers, one of which may be away for writing to go on. It leaves
// existing ones alone and logs what is different about them. It tries until
// all exist; the only error is ctx's.
func (t Topics) Ensure(ctx context.Context, client sarama.Client, log logrus.FieldLogger, tick func()) error {
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
	if t, err = t.shaped(client); err != nil {
		return err
	}
	if len(missing) > 0 {
		if firstAttempt {
			log.WithField("topics", missing).Info("creating topics as soon as the number of brokers stands")
		}
		var brokers int
		if brokers, existing, missing, err = t.settled(ctx, client, tick); err != nil {
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

// shaped returns the topics with what is taken from those that they are to be like.
func (t Topics) shaped(client sarama.Client) (Topics, error) {
	for _, topic := range t.Like {
		partitions, err := client.Partitions(topic)
		if err == nil && len(partitions) == 0 { // as while it is being created
			err = sarama.ErrUnknownTopicOrPartition
		}
		if err != nil {
			return t, fmt.Errorf("number of partitions of %s: %w", topic, err)
		}
		replicas, err := client.Replicas(topic, partitions[0])
		if err != nil && !errors.Is(err, sarama.ErrReplicaNotAvailable) {
			return t, fmt.Errorf("replicas of %s: %w", topic, err)
		}
		t.Partitions = max(t.Partitions, int32(len(partitions)))
		t.enough = max(t.enough, min(wantedReplicas, len(replicas)))
	}
	if t.Partitions == 0 {
		t.Partitions = Partitions
	}
	return t, nil
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

// settled returns the number of brokers once it has stayed the same for as long as Settle, or is enough, and which of
// the topics exist then: others may create them meanwhile, and a broker may hear late of what was created through another.
func (t Topics) settled(ctx context.Context, client sarama.Client, tick func()) (brokers int, existing, missing []string, err error) {
	count, since := 0, time.Now()
	for {
		existing, missing, err = t.sort(ctx, client, tick)
		if err != nil {
			return 0, nil, nil, fmt.Errorf("count brokers: %w", err)
		}
		brokers = len(client.Brokers())
		switch {
		case len(missing) == 0, t.enough > 0 && brokers >= t.enough:
			return brokers, existing, missing, nil
		case brokers != count || brokers == 0:
			count, since = brokers, time.Now()
		case time.Since(since) >= t.Settle:
			return brokers, existing, missing, nil
		}
		if err := pause(ctx, min(t.Settle/10, time.Second)+time.Millisecond, tick); err != nil {
			return 0, nil, nil, err
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
