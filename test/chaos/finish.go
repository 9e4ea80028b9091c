package chaos

import (
	"context"
	"errors"
	"sync"
	"time"

	"fintrans/demo/ledger"
	"fintrans/demo/oracle"
)

const (
	// arriveWithin is how long the last transactions may take to InfluxDB and through the detector.
	arriveWithin = 3 * time.Minute
	// influxKeeps is what can be expected of InfluxDB: it deletes what is older than an hour.
	influxKeeps = 59 * time.Minute
	// hour is in milliseconds: points are looked for that much around the transactions.
	hour = 3_600_000
)

// finish heals what is left, drains and collects the evidence.
func (r *run) finish(report *Report) (Evidence, error) {
	e := Evidence{Rule: theRule, Grown: r.grown, Orderly: r.orderly}
	for _, service := range []string{Ingest, Detector} {
		if _, _, err := r.scale(service, r.Instances); err != nil {
			return e, err
		}
	}
	r.say("all is healed")
	since := time.Now()
	if !r.await(r.Hard, flowWithin, func() bool { return r.flows(since) }) && r.Hard.Err() == nil {
		for _, service := range services() {
			if !r.progress.last(service).After(since) {
				r.complain("%s has made no progress within %v after all was healed", service, flowWithin)
			}
		}
	}
	report.Stood, report.Recoveries = r.progress.end(time.Now())
	r.say("draining: the generator stops, what it sent arrives, the others stop")
	if err := r.drain(Generator); err != nil {
		return e, err
	}
	ctx, cancel := context.WithTimeout(r.Hard, 4*arriveWithin)
	defer cancel()
	if err := r.collect(ctx, &e); err != nil {
		return e, err
	}
	if err := r.drain(Ingest, Detector); err != nil {
		return e, err
	}
	lines, err := oracle.ParseAlerts(r.lines)
	if err != nil {
		r.complain("%v", err)
	}
	e.Lines, e.Acknowledged, e.Complaints = lines, r.progress.total(Generator), r.complaints
	return e, nil
}

// drain ends all instances of services.
func (r *run) drain(services ...string) error {
	var draining sync.WaitGroup
	failed := make([]error, len(services))
	for n, service := range services {
		draining.Go(func() {
			var statuses []int
			_, statuses, failed[n] = r.scale(service, 0)
			for _, status := range statuses {
				if status != 0 {
					r.complain("%s ended with status %d after SIGTERM, when all was well; want 0", service, status)
				}
			}
		})
	}
	draining.Wait()
	return errors.Join(append(failed, r.Hard.Err())...)
}

// collect reads what is in the topics, and waits until it is in InfluxDB and judged. What does not come is seen by
// the judge.
func (r *run) collect(ctx context.Context, e *Evidence) error {
	end, err := r.servers.money.Ends(ctx)
	if err != nil {
		return err
	}
	since := time.Now().Add(-influxKeeps).UnixMilli()
	e.Account = ledger.NewAccount(ledger.Position{}, end, since)
	first, last := time.Now().UnixMilli(), int64(0)
	reading, err := r.servers.money.Read(ctx, ledger.Position{}, end, func(record ledger.Record) {
		e.Account.Expect(record)
		e.Records = append(e.Records, record)
		first, last = min(first, record.At), max(last, record.At)
	})
	if err != nil {
		return err
	}
	e.Bad = reading.Bad
	r.say("%d transactions are in the topics", len(e.Records))
	r.arrive(ctx, r.servers.money, Ingest, reading.Behind)
	r.arrive(ctx, r.servers.money, Detector, reading.Behind)
	if err := r.servers.stored.Points(ctx, max(first-hour, since), last+hour, e.Account.Find); err != nil {
		return err
	}
	// The detectors publish before they commit.
	if end, err = r.servers.alerts.Ends(ctx); err != nil {
		return err
	}
	r.arrive(ctx, r.servers.alerts, Ingest+"-alerts", end)
	if e.Published, err = r.servers.alerts.Alerts(ctx, ledger.Position{}, end); err != nil {
		return err
	}
	e.Stored, err = r.servers.stored.Alerts(ctx)
	return err
}

// arrive waits until a group has committed everything.
func (r *run) arrive(ctx context.Context, topics *ledger.Topics, group string, end ledger.Position) {
	var last error
	arrived := r.await(ctx, arriveWithin, func() bool {
		committed, err := topics.Committed(ctx, group)
		last = err
		return err == nil && committed.Reaches(end)
	})
	if !arrived && r.Hard.Err() == nil {
		r.complain("group %s has not committed everything within %v: %v", group, arriveWithin, last)
	}
}
