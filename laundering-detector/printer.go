package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync/atomic"
	"time"

	"fintrans/internal/service"
	"fintrans/internal/transaction"
)

// The beginning of every alert line, plain and in bold red.
const (
	plainPrefix = "POTENTIAL MONEY LAUNDERING:"
	redPrefix   = "\x1b[1;31m" + plainPrefix + "\x1b[0m"
)

// appendLine appends the line of an alert, with its line feed.
func appendLine(dst []byte, prod bool, pair transaction.Pair, total uint64) []byte {
	if prod {
		dst = append(dst, plainPrefix...)
	} else {
		dst = append(dst, redPrefix...)
	}
	dst = append(dst, ' ')
	dst = strconv.AppendUint(dst, uint64(pair.Source()), 10)
	dst = append(dst, " -> "...)
	dst = strconv.AppendUint(dst, uint64(pair.Target()), 10)
	dst = append(dst, " totalling "...)
	dst = strconv.AppendUint(dst, total, 10)
	return append(dst, " now\n"...)
}

// printer writes lines to standard output in a goroutine of its own, because a
// pipe that nobody reads blocks a write for ever, and whoever waits for it has
// to notice that its session is over.
type printer struct {
	out     io.Writer
	jobs    chan job
	failed  atomic.Pointer[error]
	blocked *service.Condition
	loop    *service.Loop
}

// printGrace is how long a line that is being written when its session ends is
// waited for: well within the drain.
const printGrace = 3 * time.Second

type job struct {
	line []byte
	done chan error
}

func newPrinter(rt *service.Runtime) *printer {
	p := &printer{
		out:     rt.Stdout,
		jobs:    make(chan job),
		blocked: service.NewCondition(30 * time.Second),
		loop:    rt.Health.Loop("print"),
	}
	rt.Ready.Check("stdout", p.blocked.Reason)
	return p
}

// run writes until ctx ends or a write fails, of which it tells fail once.
func (p *printer) run(ctx context.Context, fail func(error)) {
	defer p.loop.Done()
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			p.loop.Tick()
		case j := <-p.jobs:
			err := p.write(j.line, tick.C)
			if err != nil {
				p.failed.Store(&err)
			} else {
				p.blocked.Clear()
			}
			j.done <- err
			if err != nil {
				fail(err)
				return
			}
		}
	}
}

// write ticks until the line is out: the write may be stuck, the loop is not, and whoever has asked for the
// line may be gone.
func (p *printer) write(line []byte, tick <-chan time.Time) error {
	done := make(chan error, 1)
	go func() {
		_, err := p.out.Write(line)
		done <- err
	}()
	for {
		select {
		case err := <-done:
			if err != nil {
				return fmt.Errorf("write an alert to standard output: %w", err)
			}
			return nil
		case <-tick:
			p.loop.Tick()
		}
	}
}

// errUnknown: the session ended while a line was being written.
var errUnknown = errors.New("standard output did not take an alert before the session ended")

// print returns when the line is out. When ctx ends first it returns ctx's
// error if the line was not begun, and so will not appear; errUnknown if it was.
func (p *printer) print(ctx context.Context, line []byte, alive func()) error {
	if err := p.failure(); err != nil {
		return err
	}
	j := job{line: line, done: make(chan error, 1)}
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	jobs, ended := p.jobs, ctx.Done()
	var grace <-chan time.Time
	for {
		select {
		case jobs <- j:
			jobs = nil
		case err := <-j.done:
			return err
		case <-ended:
			if jobs != nil {
				return ctx.Err()
			}
			// A line that is out and not marked is printed again: see it through.
			ended, grace = nil, time.After(printGrace)
		case <-grace:
			return errUnknown
		case <-tick.C:
			p.blocked.Fail("standard output takes no alert: whoever reads it has stopped")
			alive()
		}
	}
}

// failure is the error of the write that ended the printer, or nil.
func (p *printer) failure() error {
	if err := p.failed.Load(); err != nil {
		return *err
	}
	return nil
}
