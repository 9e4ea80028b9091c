package consume

import (
	"context"
	"time"

	"fintrans/internal/kafka"
	"fintrans/internal/service"
)

type commits interface{ Commit() }

// committer runs a session's commits one after the other. Claims that ask
// while one is under way share the next: a commit covers every claim's marks.
type committer struct {
	sess commits
	asks chan chan struct{}
	quit chan struct{}
	done chan struct{}
	loop *service.Loop
}

func newCommitter(sess commits, loop *service.Loop) *committer {
	c := &committer{
		sess: sess,
		asks: make(chan chan struct{}),
		quit: make(chan struct{}),
		done: make(chan struct{}),
		loop: loop,
	}
	go c.run()
	return c
}

func (c *committer) run() {
	defer close(c.done)
	defer c.loop.Done()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-c.quit:
			return
		case <-tick.C:
			c.loop.Tick()
		case first := <-c.asks:
			waiting := c.gather(first)
			c.tryCommit()
			for _, w := range waiting {
				close(w)
			}
		}
	}
}

// tryCommit ticks for as long as a commit takes: minutes, while a broker hangs.
func (c *committer) tryCommit() {
	_, _ = kafka.Await(context.Background(), c.loop.Tick, nil, func() (struct{}, error) {
		c.sess.Commit()
		return struct{}{}, nil
	})
}

// gather takes every ask that is already waiting: one commit serves them all.
func (c *committer) gather(first chan struct{}) []chan struct{} {
	waiting := []chan struct{}{first}
	for {
		select {
		case w := <-c.asks:
			waiting = append(waiting, w)
		default:
			return waiting
		}
	}
}

// commit waits for a commit that began after the call.
func (c *committer) commit(ctx context.Context, tick func()) {
	waiting := make(chan struct{})
	ticker := time.NewTicker(500 * time.Millisecond)
	defer ticker.Stop()
	asks := c.asks
	for {
		select {
		case asks <- waiting:
			asks = nil
		case <-waiting:
			return
		case <-ctx.Done(): // the last commit of the session covers it
			return
		case <-c.done:
			return
		case <-ticker.C:
			tick()
		}
	}
}

func (c *committer) stop() {
	close(c.quit)
	<-c.done
}
