package consume

import (
	"context"
	"sync"
	"time"

	"fintrans/internal/kafka"
	"fintrans/internal/service"
)

// commitPatience is how long claims go on while a commit that was asked for is not there yet. A broker may
// take its time for a commit, and an alert should not have to wait for that; what is dealt with meanwhile is what a kill
// makes be read again.
const commitPatience = 300 * time.Millisecond

type commits interface{ Commit() }

// committer runs a session's commits one after the other, each of which covers every claim's marks. What is asked
// for while one is under way is the next.
type committer struct {
	sess  commits
	asked chan struct{} // has a token when there is something to commit
	quit  chan struct{}
	done  chan struct{}
	loop  *service.Loop

	mu       sync.Mutex
	waiting  time.Time     // when the next commit was first asked for; zero where nobody did
	running  time.Time     // when that under way was; zero where none is
	finished chan struct{} // closed when that under way, or else the next, has ended
}

func newCommitter(sess commits, loop *service.Loop) *committer {
	c := &committer{
		sess:     sess,
		asked:    make(chan struct{}, 1),
		quit:     make(chan struct{}),
		done:     make(chan struct{}),
		loop:     loop,
		finished: make(chan struct{}),
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
		case <-c.asked:
			c.begin()
			c.tryCommit()
			c.end()
		}
	}
}

// begin makes the next commit that under way: who asks from now on may have marked what it does not cover.
func (c *committer) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running, c.waiting = c.waiting, time.Time{}
}

func (c *committer) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running = time.Time{}
	close(c.finished)
	c.finished = make(chan struct{})
}

// tryCommit ticks for as long as a commit takes: minutes, while a broker hangs.
func (c *committer) tryCommit() {
	_, _ = kafka.Await(context.Background(), c.loop.Tick, nil, func() (struct{}, error) {
		c.sess.Commit()
		return struct{}{}, nil
	})
}

// commit asks for a commit that begins after the call. It waits while there is one that was asked for longer than
// commitPatience ago and has not ended.
func (c *committer) commit(ctx context.Context, tick func()) {
	overdue := c.ask()
	if overdue == nil {
		return
	}
	ticker := time.NewTicker(500 * time.Millisecond)
	defer ticker.Stop()
	for overdue != nil {
		select {
		case <-overdue:
			overdue = c.overdue()
		case <-ctx.Done(): // the last commit of the session covers it
			return
		case <-c.done:
			return
		case <-ticker.C:
			tick()
		}
	}
}

func (c *committer) ask() (overdue <-chan struct{}) {
	c.mu.Lock()
	if c.waiting.IsZero() {
		c.waiting = time.Now()
		c.asked <- struct{}{} // there is room: the one before was taken when waiting became zero
	}
	c.mu.Unlock()
	return c.overdue()
}

// overdue returns what is closed when the oldest commit ends that was asked for and has not ended, or nil where that
// has time.
func (c *committer) overdue() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	oldest := c.running
	if oldest.IsZero() {
		oldest = c.waiting
	}
	if oldest.IsZero() || time.Since(oldest) <= commitPatience {
		return nil
	}
	return c.finished
}

func (c *committer) stop() {
	close(c.quit)
	<-c.done
}
