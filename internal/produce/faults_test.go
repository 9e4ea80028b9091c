package produce

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/IBM/sarama"
)

// refusals are what a leader may say for a while of what it has not written, regrets of what it has.
var (
	refusals = []sarama.KError{
		sarama.ErrNotEnoughReplicas, sarama.ErrRequestTimedOut, sarama.ErrUnknownTopicOrPartition, sarama.ErrKafkaStorageError,
		sarama.ErrInvalidMessage,
	}
	regrets = []sarama.KError{sarama.ErrNotEnoughReplicasAfterAppend, sarama.ErrRequestTimedOut}
)

// TestFaultsLoseAndRepeatNothing sends through random faults: what is
// acknowledged is in the log once and in order, what is given up at most once.
// Where logs lose what they had, nothing is in them twice.
func TestFaultsLoseAndRepeatNothing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		for _, losing := range []bool{false, true} {
			t.Run(fmt.Sprintf("seed %d, logs lost %v", seed, losing), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { sendThroughFaults(t, seed, losing) })
			})
		}
	}
}

func sendThroughFaults(t *testing.T, seed uint64, losing bool) {
	rng, flushes := rand.New(rand.NewPCG(seed, 0)), rand.New(rand.NewPCG(seed, 1)) // of the model, under its lock; of the caller
	const records, brokers = 3000, 3
	topics := []string{"London", "Tokyo"}
	m := newModel(t, map[string]int32{"London": 3, "Tokyo": 2})
	m.strict = rng.IntN(2) == 0
	m.fate = func(a attempt) fate {
		switch rng.IntN(10) { // each batch of a request has a verdict of its own
		case 0:
			m.refusal = refusals[rng.IntN(len(refusals))]
			return refused
		case 4:
			m.refusal = regrets[rng.IntN(len(regrets))]
			return regretted
		case 1:
			return fate(1 + rng.IntN(3)) // lost on the way, on the way back, or late
		case 2:
			m.leaders[a.place] = int32(rng.IntN(brokers+1)) - 1
			return arrives
		case 3:
			if losing { // the last batches, or all
				m.logs[a.place] = m.logs[a.place][:len(m.logs[a.place])*rng.IntN(2)/2]
			}
		}
		for at, leader := range m.leaders { // elections end
			if leader < 0 {
				m.leaders[at] = int32(rng.IntN(brokers))
			}
		}
		return arrives
	}
	elections := time.NewTicker(100 * time.Millisecond)
	defer elections.Stop()
	p := m.open(300)
	acknowledged, givenUp := map[place][]string{}, map[string]bool{}
	settle := func(b *Batch) {
		at := place{b.Name, b.Partition}
		for _, k := range b.keys() {
			if b.Err != nil {
				givenUp[k] = true
				continue
			}
			acknowledged[at] = append(acknowledged[at], k)
		}
		p.Release(b)
	}
	await := func() {
		select {
		case b := <-p.Settled():
			settle(b)
		case <-elections.C:
			m.set(func() {
				for at, leader := range m.leaders {
					if leader < 0 {
						m.leaders[at] = int32(rng.IntN(brokers))
					}
				}
			})
		}
	}
	want := map[place][]string{}
	for n := range records {
		for !p.Append(n%2, record(n)) {
			p.Flush()
			await()
		}
		at := placeOf(topics[n%2], n, m.counts[topics[n%2]])
		want[at] = append(want[at], key(n))
		if flushes.IntN(20) == 0 {
			p.Flush()
			synctest.Wait()
		}
	}
	p.Flush()
	for p.held > 0 {
		await()
	}
	finish(p)
	if !losing && len(givenUp) > 0 {
		t.Errorf("got %d records given up although no log was lost", len(givenUp))
	}
	for at, keys := range want {
		keys = slices.DeleteFunc(keys, func(k string) bool { return givenUp[k] })
		if !slices.Equal(acknowledged[at], keys) {
			t.Errorf("%v: %d records acknowledged in order, want %d", at, len(acknowledged[at]), len(keys))
		}
		counts := map[string]int{}
		inOrder := []string{}
		for _, k := range m.log(at) {
			counts[k]++
			if !givenUp[k] {
				inOrder = append(inOrder, k)
			}
		}
		if !losing && !slices.Equal(inOrder, keys) {
			t.Errorf("%v: %d acknowledged records in the log, want %d in order", at, len(inOrder), len(keys))
		}
		for k, n := range counts {
			if n > 1 {
				t.Errorf("%v: record %q is in the log %d times", at, k, n)
			}
		}
	}
	if len(m.attempts) < 100 || losing != (m.ids > 1) {
		t.Errorf("got only %d attempts with %d producer ids", len(m.attempts), m.ids)
	}
}
