package cases

import (
	"context"
	"sync"
	"time"

	"fintrans/bench/records"
	"fintrans/bench/scene"
	"fintrans/internal/transaction"
)

// load sends transactions at a rate, on a clock: what is late is made up for.
type load struct {
	topics *records.Topics
	rate   int // per second
	// next makes the n-th transaction, counted from 0. acked, which may be nil, is told of its acknowledgement.
	next func(n int64) (t transaction.Transaction, acked func())

	sent  int64
	first error // of a transaction that could not be sent
	mu    sync.Mutex
}

// sendEvery is how often transactions are sent, a few together.
const sendEvery = time.Millisecond

// connectLoad has a client of its own that sends at once.
func connectLoad(k *scene.Kafka, rate int, next func(int64) (transaction.Transaction, func())) (*load, error) {
	topics, err := records.ConnectAtOnce(k.Broker())
	return &load{topics: topics, rate: rate, next: next}, err
}

// run sends for as long as it takes, and returns when all is acknowledged.
func (l *load) run(ctx context.Context, how time.Duration) error {
	start, begun := time.Now(), l.sent
	tick := time.NewTicker(sendEvery)
	defer tick.Stop()
	for elapsed := time.Duration(0); elapsed < how; elapsed = time.Since(start) {
		due := begun + int64(elapsed.Seconds()*float64(l.rate))
		for ; l.sent < due; l.sent++ {
			t, acked := l.next(l.sent)
			l.topics.Send(ctx, int(l.sent%5), t, time.Now(), func(err error) {
				if err != nil {
					l.failed(err)
				} else if acked != nil {
					acked()
				}
			})
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if err := l.topics.Flush(ctx); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.first
}

func (l *load) failed(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.first == nil {
		l.first = err
	}
}

// small is a transaction that sets off no alert.
func small(n int64) transaction.Transaction {
	const accounts = 1000
	source, target := uint32(n%accounts), uint32(n/accounts%(accounts-1))
	if target >= source {
		target++
	}
	return transaction.Transaction{Source: source + 1, Target: target + 1, Amount: 1}
}
