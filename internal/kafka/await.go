package kafka

import (
	"context"
	"time"
)

// tickEvery is how often a waiting function calls its tick: twice as often as
// promised, so that a busy machine does not break the promise.
const tickEvery = 500 * time.Millisecond

// Await runs a call that may block for as long as sarama's timeouts say, and
// calls tick at least once a second until it returns. When ctx ends first,
// Await returns ctx's error at once and the call's result goes to abandon, if
// that is not nil, whenever it comes.
func Await[T any](ctx context.Context, tick func(), abandon func(T), call func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := call()
		done <- result{value, err}
	}()
	tick()
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	for {
		select {
		case r := <-done:
			return r.value, r.err
		case <-ticker.C:
			tick()
		case <-ctx.Done():
			if abandon != nil {
				go func() {
					if r := <-done; r.err == nil {
						abandon(r.value)
					}
				}()
			}
			var zero T
			return zero, ctx.Err()
		}
	}
}

// pause waits for d or until ctx ends, whichever is first, ticking meanwhile.
func pause(ctx context.Context, d time.Duration, tick func()) error {
	tick()
	timer := time.NewTimer(d)
	defer timer.Stop()
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	for {
		select {
		case <-timer.C:
			return nil
		case <-ticker.C:
			tick()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
