package kafka

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"
)

// fakeCluster is brokers that follow Kafka's rules for fetches of several partitions. A test looks at its partitions
// and changes them under its mutex.
type fakeCluster struct {
	t *testing.T

	mu   sync.Mutex
	rng  *rand.Rand
	logs []*fakePartition
}

// fakePartition is one partition of London.
type fakePartition struct {
	*fakeLog
	leads   int32 // which broker does
	known   int32 // which the client believes to
	damaged bool  // what it holds cannot be read
	asked   int
}

func newCluster(t *testing.T, seed uint64, logs ...*fakeLog) *fakeCluster {
	c := &fakeCluster{t: t, rng: rand.New(rand.NewPCG(seed, 2))}
	for _, log := range logs {
		c.logs = append(c.logs, &fakePartition{fakeLog: log})
	}
	return c
}

func (c *fakeCluster) leader(_ string, partition int32) (broker, epoch int32, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.logs[partition].known, 0, nil
}

func (c *fakeCluster) first(_ string, partition int32) (int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.logs[partition].start, nil
}

func (c *fakeCluster) refresh([]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, log := range c.logs {
		log.known = log.leads
	}
}

func (c *fakeCluster) answer(broker int32, asks []ask) (response *sarama.FetchResponse, some bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	response = &sarama.FetchResponse{Blocks: map[string]map[int32]*sarama.FetchResponseBlock{"London": {}}}
	sent := false
	for _, i := range c.rng.Perm(len(asks)) {
		a := asks[i]
		log := c.logs[a.partition]
		if log.leads != broker {
			response.AddError(a.topic, a.partition, sarama.ErrNotLeaderForPartition)
			some = true
			continue
		}
		if log.damaged && a.offset < log.end {
			return nil, false, errors.New("gzip: invalid header")
		}
		bytes := a.bytes
		if !sent {
			bytes = 1 << 30 // the first batch comes whatever its size
		}
		block, err := log.fetch(context.Background(), a.topic, a.partition, a.offset, bytes, nil)
		var code sarama.KError
		switch {
		case errors.As(err, &code):
			response.AddError(a.topic, a.partition, code)
			some = true
			continue
		case err != nil:
			return nil, false, err
		}
		if a.offset < readableEnd(block) {
			some = true
			if partial(block) {
				block.RecordsSet = nil // a part of a batch is not sent
			} else {
				sent = true
			}
		}
		response.Blocks[a.topic][a.partition] = block
	}
	return response, some, nil
}

// append adds batches to a partition.
func (c *fakeCluster) append(partition int32, parts ...logPart) {
	c.mu.Lock()
	defer c.mu.Unlock()
	log := c.logs[partition]
	log.parts = append(log.parts, parts...)
	log.end = parts[len(parts)-1].last + 1
	log.stable = log.end
}

func (c *fakeCluster) asked(partition int32) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.logs[partition].asked
}

// fetching is a Fetcher at work over a fakeCluster, with what it complained of.
type fetching struct {
	*Fetcher
	*fakeCluster
	mu     sync.Mutex
	errors []string
}

const longWait = 500 * time.Millisecond

func (f *fetching) complaints() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.errors)
}

// read takes records until there are so many, or none comes for five seconds of the bubble.
func read(feed *Feed, count int) []Record {
	var got []Record
	for len(got) < count {
		select {
		case batch, ok := <-feed.Batches():
			if !ok {
				return got
			}
			for _, record := range rest(batch) {
				record.Value = slices.Clone(record.Value)
				got = append(got, record)
			}
			batch.Release()
		case <-time.After(5 * time.Second):
			return got
		}
	}
	return got
}

// batches are so many batches of ten records.
func batches(count int64) []logPart {
	var parts []logPart
	for n := range count {
		parts = append(parts, fullBatch(10*n, 10*n+9))
	}
	return parts
}
