package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"fintrans/demo/interrupt"
	"fintrans/demo/ledger"
	"fintrans/demo/oracle"
	"fintrans/demo/score"
	"fintrans/demo/supervise"
)

const (
	// stopWithin is the time that a service has to drain: a little more than it takes itself.
	stopWithin = 12 * time.Second
	// arriveWithin is how long the last transactions may take to InfluxDB and through the detector, also
	// when one of the two has just been killed.
	arriveWithin = time.Minute
	// influxKeeps is what can be expected of InfluxDB: it deletes what is older than an hour.
	influxKeeps = 59 * time.Minute
)

// finish drains everything and sums up. Its error is what the summary complains of, or why there is none.
func (d *demo) finish() error {
	d.screen.Close()
	d.screen.Line("draining: the generator stops, what it sent arrives, the others stop")
	d.stop(generator)
	ran := time.Since(d.began)
	ctx, cancel := context.WithTimeout(d.Hard, 2*arriveWithin)
	defer cancel()
	sum := summary{ran: ran, own: d.servers.own, acknowledged: d.acknowledged.total()}
	err := d.collect(ctx, &sum)
	d.stop(ingest, detector)
	if err == nil {
		err = d.seeThrough(ctx, sum.behind)
	}
	err = errors.Join(err, d.forget(ctx))
	if d.Hard.Err() != nil {
		return interrupt.ErrTwice
	}
	if err != nil {
		return err
	}
	if err := d.judge(ctx, &sum); err != nil {
		return err
	}
	for _, line := range sum.lines() {
		d.screen.Line(line)
	}
	return d.conclude(sum.complaints())
}

// stop ends services side by side. It says so when one has not drained.
func (d *demo) stop(services ...string) {
	var stopping sync.WaitGroup
	for _, of := range services {
		stopping.Go(func() {
			exit := d.end(d.children[of])
			if exit.Status != 0 {
				d.screen.Line(d.screen.Faint(fmt.Sprintf("%s has ended without draining (%v)", of, exit)))
			}
		})
	}
	stopping.Wait()
}

// end stops a child, and kills it when there is no more patience.
func (d *demo) end(child *supervise.Child) supervise.Exit {
	done := make(chan supervise.Exit, 1)
	go func() { done <- child.Stop(stopWithin) }()
	select {
	case exit := <-done:
		return exit
	case <-d.Hard.Done():
		child.Kill()
		return <-done
	}
}

// collect reads what was appended, and waits until InfluxDB has it.
func (d *demo) collect(ctx context.Context, sum *summary) error {
	d.children[ingest].Hurry()
	d.children[detector].Hurry()
	end, err := d.servers.topics.Ends(ctx)
	if err != nil {
		return err
	}
	since := time.Now().Add(-influxKeeps).UnixMilli()
	sum.account = ledger.NewAccount(d.start, end, since)
	first := time.Now().UnixMilli()
	reading, err := d.servers.topics.Read(ctx, d.start, end, func(r ledger.Record) {
		sum.account.Expect(r)
		sum.records = append(sum.records, r)
		first = min(first, r.At)
	})
	if err != nil {
		return err
	}
	sum.bad, sum.behind = reading.Bad, reading.Behind
	// What is not there in the end is among the differences.
	_ = d.await(ctx, func(ctx context.Context) error {
		sum.account.Recount()
		latest := time.Now().Add(time.Hour).UnixMilli()
		if sum.unread = d.servers.influx.Points(ctx, max(first, since), latest, sum.account.Find); sum.unread != nil {
			return sum.unread
		}
		if len(sum.account.Differences()) > 0 {
			return errNotYet
		}
		return nil
	})
	return nil
}

// errNotYet: what was expected has not arrived yet.
var errNotYet = errors.New("not yet")

// await tries until it succeeds or has taken long enough, and returns the last error.
func (d *demo) await(ctx context.Context, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, arriveWithin)
	defer cancel()
	for {
		began := time.Now()
		err := try(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		pause := time.NewTimer(max(100*time.Millisecond, time.Since(began)))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return err
		}
	}
}

// seeThrough makes sure that the detector has judged everything: what it has committed tells. If it was
// stopped before that, it gets another life.
func (d *demo) seeThrough(ctx context.Context, behind ledger.Position) error {
	judged := func(ctx context.Context) error {
		committed, err := d.servers.topics.Committed(ctx, d.group(detector))
		if err == nil && !committed.Reaches(behind) {
			err = errNotYet
		}
		return err
	}
	if judged(ctx) == nil {
		return nil
	}
	child, err := supervise.Start(d.program(detector))
	if err != nil {
		return err
	}
	d.children[detector] = child
	err = d.await(ctx, judged)
	d.stop(detector)
	if errors.Is(err, errNotYet) {
		return fmt.Errorf("the detector has not judged all transactions within %v", arriveWithin)
	}
	return err
}

// judge makes the score.
func (d *demo) judge(ctx context.Context, sum *summary) error {
	rule := oracle.Rule{Threshold: uint64(d.cfg.AlertThreshold), Window: d.cfg.AlertWindow.Milliseconds()}
	before, err := d.before(ctx, rule)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	alerts := make([]score.Alert, len(d.alerts))
	for i, line := range d.alerts {
		parsed, err := oracle.ParseAlerts([]string{plain(line.text)})
		if err != nil {
			return fmt.Errorf("the detector: %w", err)
		}
		alerts[i] = score.Alert{Alert: parsed[0], Came: line.came}
	}
	sum.score = score.Judge(rule, before, sum.records, alerts)
	return nil
}

// before reads what the windows of the run reach back to.
func (d *demo) before(ctx context.Context, rule oracle.Rule) ([]ledger.Record, error) {
	from := ledger.Position{}
	if rule.Window > 0 {
		var err error
		if from, err = d.servers.topics.At(ctx, d.began.Add(-d.cfg.AlertWindow.Duration())); err != nil {
			return nil, err
		}
	}
	var records []ledger.Record
	_, err := d.servers.topics.Read(ctx, from, d.start, func(r ledger.Record) { records = append(records, r) })
	return records, err
}

// errDoesNotAddUp: the summary has complaints, which are on the screen.
var errDoesNotAddUp = errors.New("it does not add up")

// conclude is the last line, and the error where there are complaints.
func (d *demo) conclude(complaints []string) error {
	if len(complaints) == 0 {
		d.screen.Line(d.screen.Good("all of it adds up"))
		return nil
	}
	for _, complaint := range complaints {
		d.screen.Line(d.screen.Bad(complaint))
	}
	return errDoesNotAddUp
}
