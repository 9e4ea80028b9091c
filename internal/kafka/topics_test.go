package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/IBM/sarama"
)

// withTopics describes topics with 6 partitions, all led by broker 1.
func withTopics(topics ...string) func(*sarama.MockMetadataResponse) {
	return func(m *sarama.MockMetadataResponse) {
		for _, topic := range topics {
			for partition := range int32(Partitions) {
				m.SetLeader(topic, partition, 1)
			}
		}
	}
}

// withBrokers adds brokers that nobody asks anything.
func withBrokers(n int32) func(*sarama.MockMetadataResponse) {
	return func(m *sarama.MockMetadataResponse) {
		for id := int32(2); id <= n; id++ {
			m.SetBroker("127.0.0.1:"+string('0'+id), id)
		}
	}
}

// createReply answers the creation of topics, in the version that sarama asks in.
func createReply(err sarama.KError, topics ...string) sarama.MockResponse {
	reply := &sarama.CreateTopicsResponse{
		Version: 7, TopicErrors: map[string]*sarama.TopicError{}, TopicResults: map[string]*sarama.CreatableTopicResult{},
	}
	for _, topic := range topics {
		reply.TopicErrors[topic], reply.TopicResults[topic] = &sarama.TopicError{Err: err}, &sarama.CreatableTopicResult{}
	}
	return sarama.NewMockWrapper(reply)
}

// creations returns what the broker was asked to create.
func creations(broker *sarama.MockBroker) map[string]*sarama.TopicDetail {
	all := map[string]*sarama.TopicDetail{}
	for _, exchange := range broker.History() {
		if request, ok := exchange.Request.(*sarama.CreateTopicsRequest); ok {
			maps.Copy(all, request.TopicDetails)
		}
	}
	return all
}

func TestEnsureTopicsCreatesWhatIsMissing(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		brokers  int32
		replicas int16
		minISR   string
	}{
		{"one broker", 1, 1, ""}, {"two brokers", 2, 2, ""}, {"three brokers", 3, 3, "2"}, {"five brokers", 5, 3, "2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			broker := newBroker(t, "127.0.0.1:0", func(m *sarama.MockMetadataResponse) {
				withTopics("London")(m)
				withBrokers(test.brokers)(m)
			}, handlers{
				"CreateTopicsRequest":    createReply(sarama.ErrNoError, "NYC", "SF"),
				"DescribeConfigsRequest": sarama.NewMockDescribeConfigsResponse(t),
			})
			client := connectTo(t, broker)
			log, lines := newLog()
			topics := Topics{Names: []string{"London", "NYC", "SF"}, Settle: 10 * time.Millisecond}
			if err := topics.Ensure(t.Context(), client, log, noTick); err != nil {
				t.Fatalf("Ensure: %v", err)
			}
			created := creations(broker)
			if got := slices.Sorted(maps.Keys(created)); !slices.Equal(got, []string{"NYC", "SF"}) {
				t.Errorf("got %v created", got)
			}
			for name, detail := range created {
				if detail.NumPartitions != 6 || detail.ReplicationFactor != test.replicas {
					t.Errorf("%s: got %d partitions, %d replicas", name, detail.NumPartitions, detail.ReplicationFactor)
				}
				if got := detail.ConfigEntries["retention.ms"]; got == nil || *got != "86400000" {
					t.Errorf("%s: got retention.ms %v", name, got)
				}
				switch got := detail.ConfigEntries["min.insync.replicas"]; {
				case test.minISR == "" && got != nil, test.minISR != "" && (got == nil || *got != test.minISR):
					t.Errorf("%s: got min.insync.replicas %v, want %q", name, got, test.minISR)
				}
			}
			// With more brokers it may be one of the made-up ones that is asked.
			if test.brokers == 1 && lines.count("retention.ms 5000 instead of 86400000") != 1 {
				t.Errorf("the difference of London is not logged:\n%s", lines)
			}
		})
	}
}

func TestEnsureTopicsWaitsForTheBrokersToSettle(t *testing.T) {
	t.Parallel()
	broker := newBroker(t, "127.0.0.1:0", nil, nil)
	growing := sarama.NewMockSequence(
		metadata(t, broker, nil), metadata(t, broker, nil), metadata(t, broker, nil),
		metadata(t, broker, withBrokers(2)), metadata(t, broker, withBrokers(3)),
	)
	broker.SetHandlerByMap(handlers{
		"ApiVersionsRequest":  sarama.NewMockApiVersionsResponse(t).SetApiKeys(nil),
		"MetadataRequest":     growing,
		"CreateTopicsRequest": createReply(sarama.ErrNoError, "alerts"),
	})
	client := connectTo(t, broker)
	log, _ := newLog()
	var alive ticks
	topics := Topics{Names: []string{"alerts"}, Partitions: 12, Settle: 200 * time.Millisecond}
	if err := topics.Ensure(t.Context(), client, log, alive.tick); err != nil {
		t.Fatalf("Ensure: %v", err)
	}
	if got := creations(broker)["alerts"]; got == nil || got.ReplicationFactor != 3 || got.NumPartitions != 12 {
		t.Errorf("got %+v, want 12 partitions with 3 replicas", got)
	}
	if alive.n.Load() == 0 {
		t.Error("did not tick")
	}
}

// described is metadata of brokers with these ids, which all have replicas of London's 12 partitions, as do those that are
// away.
func described(broker *sarama.MockBroker, ids []int32, away ...int32) sarama.MockResponse {
	answer := &sarama.MetadataResponse{Version: sarama.NewMetadataRequest(sarama.DefaultVersion, nil).Version, ControllerID: 1}
	for _, id := range ids {
		addr := broker.Addr()
		if id != 1 {
			addr = fmt.Sprintf("127.0.0.1:%d", id)
		}
		answer.AddBroker(addr, id)
	}
	replicas := slices.Concat(ids, away)
	for partition := range int32(12) {
		answer.AddTopicPartition("London", partition, 1, replicas, replicas, away, sarama.ErrNoError)
	}
	return sarama.NewMockWrapper(answer)
}

func TestEnsureTopicsLikeOthers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		metadata func(*sarama.MockBroker) []any
		replicas int16
	}{
		{"as many brokers as they have replicas", func(b *sarama.MockBroker) []any {
			return []any{described(b, []int32{1})}
		}, 1},
		{"more brokers", func(b *sarama.MockBroker) []any {
			return []any{described(b, []int32{1, 2, 3, 4})}
		}, 3},
		{"brokers that are late", func(b *sarama.MockBroker) []any {
			return []any{
				described(b, []int32{1}, 2, 3), described(b, []int32{1}, 2, 3), described(b, []int32{1}, 2, 3),
				described(b, []int32{1, 2}, 3), described(b, []int32{1, 2, 3}),
			}
		}, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			broker := newBroker(t, "127.0.0.1:0", nil, nil)
			answers := test.metadata(broker)
			broker.SetHandlerByMap(handlers{
				"ApiVersionsRequest":  sarama.NewMockApiVersionsResponse(t).SetApiKeys(nil),
				"MetadataRequest":     sarama.NewMockSequence(answers...),
				"CreateTopicsRequest": createReply(sarama.ErrNoError, "alerts"),
			})
			log, _ := newLog()
			topics := Topics{Names: []string{"alerts"}, Like: []string{"London"}, Settle: time.Hour}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if err := topics.Ensure(ctx, connectTo(t, broker), log, noTick); err != nil {
				t.Fatalf("Ensure: %v", err)
			}
			if got := creations(broker)["alerts"]; got == nil || got.ReplicationFactor != test.replicas || got.NumPartitions != 12 {
				t.Errorf("got %+v, want 12 partitions with %d replicas", got, test.replicas)
			}
		})
	}
}

func TestEnsureTopicsLikeOneWithoutPartitions(t *testing.T) {
	t.Parallel()
	broker := newBroker(t, "127.0.0.1:0", nil, nil)
	bare := func() sarama.MockResponse {
		answer := &sarama.MetadataResponse{Version: sarama.NewMetadataRequest(sarama.DefaultVersion, nil).Version, ControllerID: 1}
		answer.AddBroker(broker.Addr(), 1)
		answer.AddTopic("London", sarama.ErrNoError)
		return sarama.NewMockWrapper(answer)
	}
	all := handlers{
		"ApiVersionsRequest":  sarama.NewMockApiVersionsResponse(t).SetApiKeys(nil),
		"MetadataRequest":     bare(),
		"CreateTopicsRequest": createReply(sarama.ErrNoError, "alerts"),
	}
	broker.SetHandlerByMap(all)
	client := connectTo(t, broker)
	log, _ := newLog()
	reasons := make(chan string, 100)
	topics := Topics{Names: []string{"alerts"}, Like: []string{"London"}, Status: func(reason string) { reasons <- reason }}
	done := make(chan error, 1)
	go func() { done <- topics.Ensure(t.Context(), client, log, noTick) }()
	if reason := <-reasons; !strings.Contains(reason, "number of partitions of London: ") {
		t.Errorf("got status %q", reason)
	}
	all["MetadataRequest"] = described(broker, []int32{1})
	broker.SetHandlerByMap(all)
	if err := <-done; err != nil {
		t.Errorf("Ensure: %v", err)
	}
	if got := creations(broker)["alerts"]; got == nil || got.NumPartitions != 12 {
		t.Errorf("got %+v, want 12 partitions", got)
	}
}

func TestEnsureTopicsThatComeMeanwhile(t *testing.T) {
	t.Parallel()
	broker := newBroker(t, "127.0.0.1:0", nil, nil)
	broker.SetHandlerByMap(handlers{
		"ApiVersionsRequest": sarama.NewMockApiVersionsResponse(t).SetApiKeys(nil),
		"MetadataRequest": sarama.NewMockSequence(
			metadata(t, broker, nil), metadata(t, broker, nil), metadata(t, broker, nil), metadata(t, broker, withTopics("NYC")),
		),
		"DescribeConfigsRequest": sarama.NewMockDescribeConfigsResponse(t),
	})
	log, lines := newLog()
	topics := Topics{Names: []string{"NYC"}, Settle: time.Hour}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := topics.Ensure(ctx, connectTo(t, broker), log, noTick); err != nil {
		t.Fatalf("Ensure: %v", err)
	}
	if len(creations(broker)) != 0 || lines.count("the existing topic differs") != 1 {
		t.Errorf("created %v, log\n%s", creations(broker), lines)
	}
}

func TestEnsureTopicsThatSomebodyElseCreates(t *testing.T) {
	t.Parallel()
	broker := newBroker(t, "127.0.0.1:0", nil, handlers{"CreateTopicsRequest": createReply(sarama.ErrTopicAlreadyExists, "NYC")})
	log, lines := newLog()
	topics := Topics{Names: []string{"NYC"}, Settle: time.Millisecond}
	if err := topics.Ensure(t.Context(), connectTo(t, broker), log, noTick); err != nil {
		t.Fatalf("Ensure: %v", err)
	}
	if lines.count("somebody else has created the topic first") != 1 {
		t.Errorf("got log\n%s", lines)
	}
}

func TestEnsureTopicsWithoutRights(t *testing.T) {
	t.Parallel()
	t.Run("to read the configuration", func(t *testing.T) {
		t.Parallel()
		broker := newBroker(t, "127.0.0.1:0", withTopics("London"), handlers{
			"DescribeConfigsRequest": sarama.NewMockDescribeConfigsResponseWithErrorCode(t),
		})
		log, lines := newLog()
		if err := (Topics{Names: []string{"London"}}).Ensure(t.Context(), connectTo(t, broker), log, noTick); err != nil {
			t.Fatalf("Ensure: %v", err)
		}
		if lines.count("cannot be read") != 1 {
			t.Errorf("got log\n%s", lines)
		}
	})
	t.Run("to create", func(t *testing.T) {
		t.Parallel()
		broker := newBroker(t, "127.0.0.1:0", nil, handlers{"CreateTopicsRequest": createReply(sarama.ErrTopicAuthorizationFailed, "NYC")})
		log, lines := newLog()
		ctx, cancel := context.WithCancel(t.Context())
		reasons := make(chan string, 100)
		topics := Topics{Names: []string{"NYC"}, Settle: time.Millisecond, Status: func(reason string) { reasons <- reason }}
		done := make(chan error, 1)
		client := connectTo(t, broker)
		go func() { done <- topics.Ensure(ctx, client, log, noTick) }()
		waitFor(t, "the complaint", func() bool {
			return lines.count("does not allow this to clients without a user (KAFKA_SASL_MECHANISM): create topic NYC: ") > 0
		})
		if reason := <-reasons; !strings.Contains(reason, "create topic NYC: ") {
			t.Errorf("got status %q", reason)
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("got error %v", err)
		}
	})
}

func TestEnsureTopicsLogsOtherPartitionCounts(t *testing.T) {
	t.Parallel()
	broker := newBroker(t, "127.0.0.1:0", func(m *sarama.MockMetadataResponse) {
		m.SetLeader("London", 0, 1).SetLeader("London", 1, 1)
	}, handlers{"DescribeConfigsRequest": sarama.NewMockDescribeConfigsResponse(t)})
	client := connectTo(t, broker)
	log, lines := newLog()
	if err := (Topics{Names: []string{"London"}}).Ensure(t.Context(), client, log, noTick); err != nil {
		t.Fatalf("Ensure: %v", err)
	}
	if lines.count("partitions 2 instead of 6") != 1 || len(creations(broker)) != 0 {
		t.Errorf("got %v created, log\n%s", creations(broker), lines)
	}
	counts, err := PartitionCounts(client, []string{"London"})
	if err != nil || counts["London"] != 2 {
		t.Errorf("got counts %v, error %v", counts, err)
	}
}

func TestWaitForTopics(t *testing.T) {
	t.Parallel()
	broker := newBroker(t, "127.0.0.1:0", nil, nil)
	client := connectTo(t, broker)
	log, lines := newLog()
	var alive ticks
	var reason atomic.Value
	done := make(chan error, 1)
	go func() {
		done <- WaitForTopics(t.Context(), client, []string{"London", "NYC"}, log, alive.tick, func(r string) { reason.Store(r) })
	}()
	reasonIs := func(want string) func() bool { return func() bool { return reason.Load() == want } }
	waitFor(t, "both missing", reasonIs("missing topics: London, NYC"))
	answer := func(describe func(*sarama.MockMetadataResponse)) {
		broker.SetHandlerByMap(handlers{
			"ApiVersionsRequest": sarama.NewMockApiVersionsResponse(t).SetApiKeys(nil),
			"MetadataRequest":    metadata(t, broker, describe),
		})
	}
	answer(withTopics("London"))
	waitFor(t, "one missing", reasonIs("missing topics: NYC"))
	answer(func(m *sarama.MockMetadataResponse) {
		withTopics("London")(m)
		m.SetError("NYC", sarama.ErrLeaderNotAvailable)
	})
	waitFor(t, "no leader", func() bool { return reason.Load() != "missing topics: NYC" })
	answer(withTopics("London", "NYC"))
	if err := <-done; err != nil {
		t.Errorf("WaitForTopics: %v", err)
	}
	if reason.Load() != "" || lines.count("waiting for topics") != 1 || lines.count("all topics are there") != 1 {
		t.Errorf("got reason %q, log\n%s", reason.Load(), lines)
	}
	if len(creations(broker)) != 0 || alive.n.Load() == 0 {
		t.Errorf("created %v, %d ticks", creations(broker), alive.n.Load())
	}
	for _, exchange := range broker.History() {
		if request, ok := exchange.Request.(*sarama.MetadataRequest); ok && request.AllowAutoTopicCreation {
			t.Error("a request for metadata allows the broker to create topics")
		}
	}
}

func TestWaitForTopicsEndsWithItsContext(t *testing.T) {
	t.Parallel()
	client := connectTo(t, newBroker(t, "127.0.0.1:0", nil, nil))
	ctx, cancel := context.WithCancel(t.Context())
	log, _ := newLog()
	err := WaitForTopics(ctx, client, []string{"London"}, log, noTick, func(string) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v", err)
	}
}
