package produce

import (
	"io"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/sirupsen/logrus"

	_ "fintrans/internal/kafka" // sets up sarama's log and meters
)

func TestRequestVersions(t *testing.T) {
	t.Parallel()
	for release, want := range map[sarama.KafkaVersion]int16{
		sarama.V0_11_0_0: 3, sarama.V1_0_0_0: 5, sarama.V1_1_0_0: 5, sarama.V2_0_0_0: 6, sarama.V2_1_0_0: 7, sarama.V2_3_0_0: 7,
		sarama.V2_4_0_0: 8, sarama.V2_7_0_0: 8, sarama.V2_8_0_0: 9, sarama.V3_6_0_0: 9, sarama.V3_7_0_0: 10, sarama.MaxVersion: 10,
	} {
		if got := requestVersion(release); got != want {
			t.Errorf("Kafka %s: got version %d of produce requests, want %d", release, got, want)
		}
	}
}

// mock is a broker that speaks the protocol, with two partitions of London.
func mock(t *testing.T, produced sarama.MockResponse, ids *sarama.MockInitProducerIDResponse) (*sarama.MockBroker, sarama.Client) {
	t.Helper()
	broker := sarama.NewMockBroker(t, 1)
	t.Cleanup(broker.Close)
	broker.SetHandlerByMap(map[string]sarama.MockResponse{
		"MetadataRequest": sarama.NewMockMetadataResponse(t).SetBroker(broker.Addr(), broker.BrokerID()).
			SetLeader("London", 0, broker.BrokerID()).SetLeader("London", 1, broker.BrokerID()),
		"InitProducerIDRequest": ids,
		"ProduceRequest":        produced,
	})
	conf := sarama.NewConfig()
	conf.Version, conf.ApiVersionsRequest = sarama.V2_4_0_0, false
	conf.Producer.Idempotent, conf.Producer.RequiredAcks, conf.Net.MaxOpenRequests = true, sarama.WaitForAll, 1
	client, err := sarama.NewClient([]string{broker.Addr()}, conf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return broker, client
}

func quiet() logrus.FieldLogger {
	log := logrus.New()
	log.SetOutput(io.Discard)
	return log
}

// TestOverTheWire sends by way of sarama's client; the broker refuses one of two partitions first.
func TestOverTheWire(t *testing.T) {
	t.Parallel()
	produced := sarama.NewMockSequence(
		sarama.NewMockProduceResponse(t).SetVersion(8).SetError("London", 1, sarama.ErrNotEnoughReplicas),
		sarama.NewMockProduceResponse(t).SetVersion(8),
	)
	ids := sarama.NewMockInitProducerIDResponse(t).SetProducerID(4711).SetProducerEpoch(3)
	broker, client := mock(t, produced, ids)
	p, err := Open(client, []string{"London"}, 100, quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if p.id != (identity{4711, 3}) {
		t.Errorf("got identity %v", p.id)
	}
	for n := range 50 {
		if !p.Append(0, record(n)) {
			t.Fatalf("record %d: no room", n)
		}
	}
	p.Flush()
	deadline := time.After(30 * time.Second)
	for records := 0; records < 50; {
		select {
		case b := <-p.Settled():
			if b.Err != nil {
				t.Errorf("got error %v", b.Err)
			}
			records += b.Len()
			p.Release(b)
		case <-deadline:
			t.Fatalf("got %d records settled, trouble %v", records, p.Trouble())
		}
	}
	requests := 0
	for _, exchange := range broker.History() {
		if request, ok := exchange.Request.(*sarama.ProduceRequest); ok {
			requests++
			if request.RequiredAcks != sarama.WaitForAll || request.Timeout != 10_000 {
				t.Errorf("got request %+v", request)
			}
		}
	}
	if requests < 2 || requests > 3 { // the two partitions may be found one after the other
		t.Errorf("got %d requests", requests)
	}
}

func TestOpenWithoutAProducerID(t *testing.T) {
	t.Parallel()
	ids := sarama.NewMockInitProducerIDResponse(t).SetError(sarama.ErrClusterAuthorizationFailed)
	_, client := mock(t, sarama.NewMockProduceResponse(t), ids)
	if _, err := Open(client, []string{"London"}, 100, quiet()); err != sarama.ErrClusterAuthorizationFailed { //nolint:errorlint // it is this very one
		t.Errorf("got error %v", err)
	}
}
