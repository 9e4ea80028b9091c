// Package browse gives a person the dashboards: in a Grafana of this machine where there is one, else as the preview.
package browse

import (
	"context"
	"errors"
	"fmt"

	"fintrans/demo/dashboards"
	"fintrans/demo/preview"
)

// Options say where the dashboards come from and where they go.
type Options struct {
	// Addr is host:port to listen on, such as 127.0.0.1:13000. Where the port is taken another one is used.
	Addr string
	// Influx is the InfluxDB to show.
	Influx dashboards.Influx
	// Dir is the folder for Grafana's data and log. It is created, and kept.
	Dir string
}

// Browser serves the dashboards until it is closed.
type Browser struct {
	// URL of the first dashboard.
	URL string
	// Kind says what serves them, such as "Grafana 12.4.2" or "preview".
	Kind string
	// Notices are sentences for the user: a port that was taken, a Grafana that does not start.
	Notices []string
	close   func() error
}

// Start returns when the dashboards are there: at once for the preview, and within StartTime for a Grafana, which
// has more to do. It looks for grafana and grafana-server on the PATH. The caller closes the browser.
func Start(ctx context.Context, options Options) (*Browser, error) {
	found, err := find(ctx)
	if err == nil {
		var b *Browser
		if b, err = startGrafana(ctx, found, options); err == nil {
			return b, nil
		}
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	p, previewErr := preview.Start(ctx, preview.Options{Addr: options.Addr, Influx: options.Influx})
	if previewErr != nil {
		return nil, previewErr
	}
	b := &Browser{URL: p.URL() + "/d/fintrans/fintrans", Kind: "preview", close: p.Close}
	if !errors.Is(err, errNone) {
		b.Notices = append(b.Notices, fmt.Sprintf("%v: here is the preview instead", err))
	}
	if p.Notice() != "" {
		b.Notices = append(b.Notices, p.Notice())
	}
	return b, nil
}

// Close ends what Start has started.
func (b *Browser) Close() error { return b.close() }
