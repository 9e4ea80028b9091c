package kafka

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/sirupsen/logrus"
	"go.uber.org/goleak"

	"fintrans/internal/service"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// logLines collects what a logger writes.
type logLines struct {
	mu    sync.Mutex
	lines []string
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, strings.TrimSpace(string(p)))
	return len(p), nil
}

// count returns how many lines contain text.
func (l *logLines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, line := range l.lines {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

func (l *logLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

func newLog() (*logrus.Logger, *logLines) {
	lines := &logLines{}
	log := logrus.New()
	log.SetOutput(lines)
	log.SetFormatter(&logrus.TextFormatter{DisableColors: true, DisableQuote: true})
	return log, lines
}

// ticks counts the calls of its tick.
type ticks struct{ n atomic.Int64 }

func (c *ticks) tick() { c.n.Add(1) }

func noTick() {}

// waitFor fails the test when a state is not reached.
func waitFor(t *testing.T, what string, reached func() bool) {
	t.Helper()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	poll := time.NewTicker(2 * time.Millisecond)
	defer poll.Stop()
	for !reached() {
		select {
		case <-poll.C:
		case <-deadline.C:
			t.Fatalf("not reached: %s", what)
		}
	}
}

type handlers map[string]sarama.MockResponse

// newBroker starts a broker that answers as the handlers say. Its metadata
// speak of itself and of what describe adds.
func newBroker(t *testing.T, addr string, describe func(*sarama.MockMetadataResponse), more handlers) *sarama.MockBroker {
	t.Helper()
	broker := sarama.NewMockBrokerAddr(t, 1, addr)
	t.Cleanup(broker.Close)
	all := handlers{
		"ApiVersionsRequest": sarama.NewMockApiVersionsResponse(t).SetApiKeys(nil),
		"MetadataRequest":    metadata(t, broker, describe),
	}
	maps.Copy(all, more)
	broker.SetHandlerByMap(all)
	return broker
}

func metadata(t *testing.T, broker *sarama.MockBroker, describe func(*sarama.MockMetadataResponse)) *sarama.MockMetadataResponse {
	m := sarama.NewMockMetadataResponse(t).SetBroker(broker.Addr(), broker.BrokerID()).SetController(broker.BrokerID())
	if describe != nil {
		describe(m)
	}
	return m
}

func settingsFor(addr string) Settings { return Settings{Broker: service.Addresses{addr}} }

func configFor(t *testing.T, s Settings) *sarama.Config {
	t.Helper()
	cfg, err := s.Config("test")
	if err != nil {
		t.Fatalf("Config: %v", err)
	}
	return cfg
}

// connectTo returns a client of a broker. It is closed before the broker.
func connectTo(t *testing.T, broker *sarama.MockBroker) sarama.Client {
	t.Helper()
	s := settingsFor(broker.Addr())
	log, _ := newLog()
	client, err := Connect(t.Context(), s, configFor(t, s), log, noTick)
	if err != nil {
		t.Fatalf("Connect: %v", err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}
