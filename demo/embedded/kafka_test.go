package embedded_test

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"fintrans/demo/embedded"
)

func TestKafkaKeepsItsRecordsWhileItIsAway(t *testing.T) {
	t.Parallel()
	k := startKafka(t, embedded.KafkaOptions{Brokers: 3, Topics: map[string]int32{"London": 6}})
	before := k.Addrs()
	if got, want := len(before), 3; got != want {
		t.Fatalf("%d brokers, want %d", got, want)
	}
	client := newClient(t, k)
	produce(t, client, "London", "one")

	k.Down()
	for _, addr := range before {
		if _, err := net.Dial("tcp", addr); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatalf("connection to a broker that is away: %v, want it refused", err)
		}
	}
	if err := k.Up(); err != nil {
		t.Fatal(err)
	}

	produce(t, client, "London", "two")
	got := consume(t, k, "London", 2)
	if got["one"] != 1 || got["two"] != 1 {
		t.Errorf("records %v, want one and two once each", got)
	}
}

func TestKafkaTakesOneBrokerAway(t *testing.T) {
	t.Parallel()
	k := startKafka(t, embedded.KafkaOptions{Brokers: 2})
	k.Down(1)
	for i, wanted := range []error{nil, syscall.ECONNREFUSED} {
		conn, err := net.Dial("tcp", k.Addrs()[i])
		if !errors.Is(err, wanted) {
			t.Errorf("connection to broker %d: %v, want %v", i, err, wanted)
		}
		if err == nil {
			_ = conn.Close()
		}
	}
}

func TestKafkaCutsConnectionsThatExist(t *testing.T) {
	t.Parallel()
	k := startKafka(t, embedded.KafkaOptions{})
	conn, err := net.Dial("tcp", k.Addrs()[0])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// A request that the broker cannot answer yet: the connection is served and stays open.
	if _, err := conn.Write([]byte{0, 0}); err != nil {
		t.Fatal(err)
	}
	k.Down()
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var netErr net.Error
	if _, err := conn.Read(make([]byte, 1)); err == nil || errors.As(err, &netErr) && netErr.Timeout() {
		t.Errorf("read from a cut connection: %v, want its end", err)
	}
}

func TestKafkaNoticesThatAMemberHasGone(t *testing.T) {
	t.Parallel()
	k := startKafka(t, embedded.KafkaOptions{Session: 5 * time.Minute, Rebalance: 5 * time.Minute})
	first := newClient(t, k)
	join(t, first)
	first.Close()            // it does not know that it is a member, and leaves no group
	join(t, newClient(t, k)) // which would wait for the other member if that was not known to be gone
}

// join joins a group by hand, and returns when the group is complete.
func join(t *testing.T, client *kgo.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	request := kmsg.NewPtrJoinGroupRequest()
	request.Group, request.ProtocolType = "group", "consumer"
	request.SessionTimeoutMillis, request.RebalanceTimeoutMillis = 6000, 6000
	protocol := kmsg.NewJoinGroupRequestProtocol()
	protocol.Name = "range"
	request.Protocols = append(request.Protocols, protocol)
	answer, err := request.RequestWith(ctx, client)
	if err == nil && answer.ErrorCode == kerr.MemberIDRequired.Code {
		request.MemberID = answer.MemberID
		answer, err = request.RequestWith(ctx, client)
	}
	if err == nil {
		err = kerr.ErrorForCode(answer.ErrorCode)
	}
	if err != nil {
		t.Fatalf("join: %v", err)
	}
}

func startKafka(t *testing.T, options embedded.KafkaOptions) *embedded.Kafka {
	t.Helper()
	k, err := embedded.StartKafka(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

func newClient(t *testing.T, k *embedded.Kafka, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(k.Addrs()...))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func produce(t *testing.T, client *kgo.Client, topic, value string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	record := &kgo.Record{Topic: topic, Value: []byte(value)}
	if err := client.ProduceSync(ctx, record).FirstErr(); err != nil {
		t.Fatalf("produce %q: %v", value, err)
	}
}

func consume(t *testing.T, k *embedded.Kafka, topic string, records int) map[string]int {
	t.Helper()
	client := newClient(t, k, kgo.ConsumeTopics(topic))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	got := map[string]int{}
	for n := 0; n < records; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			t.Fatalf("after %d of %d records: %v", n, records, err)
		}
		fetches.EachRecord(func(r *kgo.Record) { got[string(r.Value)]++; n++ })
	}
	return got
}
