package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"fintrans/demo/interrupt"
	"fintrans/demo/ledger"
	"fintrans/demo/show"
	"fintrans/demo/supervise"
)

// tableEvery is the time between two tables.
const tableEvery = 5 * time.Second

// demo is one run.
type demo struct {
	interrupt.Interruption
	cfg      config
	screen   *show.Screen
	servers  *servers
	binaries string
	run      string // tells this run from others
	seed     uint64

	began        time.Time       // when the services were started
	start        ledger.Position // where the topics ended then
	endpoints    *endpoints
	acknowledged *acknowledged
	children     map[string]*supervise.Child

	mu     sync.Mutex
	alerts []alertLine
}

// alertLine is a line of the detector's stdout and when it came.
type alertLine struct {
	text string
	came time.Time
}

// perform runs a demo from its start to its summary. Its error is what went wrong, or what the summary
// complains of.
func perform(ctx interrupt.Interruption, cfg config, screen *show.Screen) (err error) {
	d := &demo{
		Interruption: ctx, cfg: cfg, screen: screen, seed: cfg.seed(),
		run:       fmt.Sprintf("%s-%d", time.Now().UTC().Format("20060102T150405"), os.Getpid()),
		endpoints: newEndpoints(), acknowledged: &acknowledged{}, children: map[string]*supervise.Child{},
	}
	if d.binaries, err = cfg.binaries(); err != nil {
		return err
	}
	if err := d.findServices(); err != nil {
		return err
	}
	d.servers, err = startServers(ctx.Soft, cfg)
	defer func() { err = errors.Join(err, d.servers.close()) }()
	if err == nil {
		err = d.prepare()
	}
	if ctx.Soft.Err() != nil {
		screen.Line("stopped before anything was sent")
		return nil
	}
	if err != nil {
		return err
	}
	defer d.killAll()
	if err := d.startServices(); err != nil {
		return err
	}
	defer d.showDashboards()()
	d.watch()
	return d.finish()
}

// findServices makes sure that the services were built.
func (d *demo) findServices() error {
	for _, of := range []string{generator, ingest, detector} {
		if _, err := os.Stat(filepath.Join(d.binaries, of)); err != nil {
			return fmt.Errorf("BINARIES: %w; 'make demo' builds the services and then starts them", err)
		}
	}
	return nil
}

// prepare notes where the topics end, and makes the consumers begin there: only what is appended from now
// on counts.
func (d *demo) prepare() error {
	ctx, cancel := context.WithTimeout(d.Soft, answerWithin)
	defer cancel()
	start, err := d.servers.topics.Ends(ctx)
	if err != nil {
		return err
	}
	d.start = start
	if !d.servers.own { // for the same reason as the cities' topics
		err := errors.Join(
			d.servers.topics.Create(ctx, partitions, retention, d.topic(alertTopic)),
			d.servers.topics.Create(ctx, 1, retention, d.topic(pipelineTopic)))
		if err != nil {
			return err
		}
	}
	for _, of := range []string{ingest, detector} {
		if err := d.servers.topics.Commit(ctx, d.group(of), start); err != nil {
			return err
		}
	}
	return nil
}

// startServices says what runs where, and starts the services. It sets began.
func (d *demo) startServices() error {
	d.screen.Linef("%g transactions per second between %d accounts, %g %% of them in planted rings, seed %d;",
		float64(d.cfg.Rate), d.cfg.GenAccounts, 100*float64(d.cfg.RingShare), d.seed)
	d.screen.Linef("alerts above $%s within %s", show.Number(int64(d.cfg.AlertThreshold)), windowText(d.cfg))
	d.screen.Linef("%-20s %s", "Kafka", d.servers.kafkaText())
	d.screen.Linef("%-20s %s", "InfluxDB", d.servers.influxText())
	d.began = time.Now()
	for _, of := range []string{ingest, detector, generator} {
		child, err := supervise.Start(d.program(of))
		if err != nil {
			return err
		}
		d.children[of] = child
	}
	return nil
}

func windowText(cfg config) string {
	if cfg.AlertWindow == 0 {
		return "all time"
	}
	return cfg.AlertWindow.String()
}

// killAll ends what runs still.
func (d *demo) killAll() {
	for _, child := range d.children {
		child.Kill()
	}
}

// watch shows the table until it is time to end.
func (d *demo) watch() {
	ctx, cancel := d.Soft, func() {}
	if limit := d.cfg.For.Duration(); limit > 0 {
		ctx, cancel = context.WithTimeout(ctx, limit)
	} else {
		d.screen.Line(d.screen.Faint("Ctrl-C ends it, and sums up"))
	}
	defer cancel()
	var looking sync.WaitGroup
	looking.Go(func() {
		every(ctx, lookEvery, func() {
			if url := d.endpoints.url(generator); url != "" {
				d.acknowledged.look(ctx, url)
			}
		})
	})
	trouble := ""
	every(ctx, tableEvery, func() {
		averages, err := d.servers.influx.PastHour(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil && err.Error() != trouble:
			trouble = err.Error()
			d.screen.Line(d.screen.Bad("no table: " + trouble))
		case err == nil:
			trouble = ""
			d.screen.Table(pastHour(averages, time.Now()))
		}
	})
	looking.Wait()
}

// every does something at each beat, until ctx ends.
func every(ctx context.Context, beat time.Duration, do func()) {
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			do()
		}
	}
}
