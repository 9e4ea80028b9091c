// Package influx_test runs the ingest on real releases of InfluxDB that do not take everything: from users without the
// right to write, and onto a disk that is full.
package influx_test

import (
	"context"
	"os"
	"testing"

	"fintrans/demo/cases"
	"fintrans/demo/embedded"
	"fintrans/demo/harness"
	"fintrans/test/realinflux"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

// releases are those that the services are tested on.
var releases = map[string]realinflux.Release{"installed": realinflux.Installed, "newest": realinflux.Newest}

func TestUsers(t *testing.T) {
	t.Parallel()
	for name, release := range releases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cases.InfluxRefusesUser(t, servers(release, realinflux.Options{Users: true}, nil))
		})
		t.Run(name+" for Grafana", func(t *testing.T) {
			t.Parallel()
			cases.GrafanaCanOnlyRead(t, servers(release, realinflux.Options{Users: true}, nil))
		})
	}
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	for name, release := range releases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var server *realinflux.Server
			start := servers(release, realinflux.Options{Disk: 48}, &server)
			fill := func() (free func() error, err error) { return server.FreeDisk, server.FillDisk() }
			cases.InfluxDiskIsFull(fill)(t, start)
		})
	}
}

// servers is the harness.Starter of a broker within the process and an InfluxDB, of which it tells started.
func servers(release realinflux.Release, options realinflux.Options, started **realinflux.Server) harness.Starter {
	return func(t testing.TB, need harness.Need) harness.Servers {
		t.Helper()
		kafka, err := embedded.StartKafka(embedded.KafkaOptions{Brokers: need.Brokers})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(kafka.Close)
		server, err := realinflux.StartWith(t.Context(), release, options)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if t.Failed() {
				t.Log(server.Log())
			}
			if err := server.Close(); err != nil {
				t.Errorf("close InfluxDB: %v", err)
			}
		})
		if started != nil {
			*started = server
		}
		var influx harness.Influx = plain{server: server}
		if options.Users {
			influx = harness.AsUser(influx, "admin", "of-the-tests")
		}
		return harness.Servers{Kafka: kafka, Influx: influx}
	}
}

// plain is a server that is asked without anything in between.
type plain struct {
	harness.Influx // what is not below is not used
	server         *realinflux.Server
}

// URL implements harness.Influx.
func (p plain) URL() string { return p.server.URL() }

// Stop implements harness.Influx.
func (p plain) Stop() error { return p.server.Stop() }

// Start implements harness.Influx.
func (p plain) Start() error { return p.server.Up(context.Background()) }
