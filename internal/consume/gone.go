package consume

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// Gone counts the offsets that Kafka deleted before they were dealt with, each once: sessions may begin again and again
// with what was committed below them. It is safe for concurrent use.
type Gone struct {
	counter prometheus.Counter

	mu      sync.Mutex
	counted map[string]map[int32]int64 // by topic and partition, the end of what is counted
}

// NewGone returns a Gone that adds to the counter.
func NewGone(counter prometheus.Counter) *Gone {
	return &Gone{counter: counter, counted: map[string]map[int32]int64{}}
}

// Add counts what lies between the offset that is committed and the oldest that Kafka has, as far as it is not counted.
func (g *Gone) Add(topic string, partition int32, committed, oldest int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.counted[topic] == nil {
		g.counted[topic] = map[int32]int64{}
	}
	if counted := g.counted[topic][partition]; counted <= oldest { // else the topic was created again
		committed = max(committed, counted)
	}
	g.counted[topic][partition] = oldest
	g.counter.Add(float64(max(0, oldest-committed)))
}
