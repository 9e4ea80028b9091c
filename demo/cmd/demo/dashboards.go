package main

import (
	"context"
	"path/filepath"
	"sync"

	"fintrans/demo/browse"
	"fintrans/demo/dashboards"
)

// database is the one that influx-ingest fills.
const database = "fintrans"

// showDashboards serves the dashboards, and says where once they are there: a Grafana takes a while, and nothing else
// waits for it. The demo goes on without them where they cannot be had. The caller calls stop, which waits for its end.
func (d *demo) showDashboards() (stop func()) {
	ctx, cancel := context.WithCancel(d.Hard)
	var starting sync.WaitGroup
	var browser *browse.Browser
	starting.Go(func() {
		b, err := browse.Start(ctx, browse.Options{
			Addr:   string(d.cfg.Dashboards),
			Influx: dashboards.Influx{URL: d.servers.url, Database: database},
			Dir:    filepath.Join(d.binaries, "grafana"),
		})
		if ctx.Err() != nil {
			err = nil // the demo ends
		}
		if err != nil {
			d.screen.Line(d.screen.Bad("no dashboards: " + err.Error()))
		}
		if b == nil {
			return
		}
		browser = b
		for _, notice := range b.Notices {
			d.screen.Line(d.screen.Bad(notice))
		}
		d.screen.Linef("%-20s %s (%s)", "dashboards", b.URL, b.Kind)
	})
	return func() {
		cancel()
		starting.Wait()
		if browser != nil {
			_ = browser.Close() // there is nothing to lose
		}
	}
}
