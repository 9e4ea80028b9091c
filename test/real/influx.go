package real

import (
	"context"
	"errors"
	"testing"

	"fintrans/demo/embedded"
	"fintrans/test/realinflux"
)

// influx is a server behind a front that fails on demand.
type influx struct {
	*embedded.Front
	server *realinflux.Server
	t      testing.TB
}

func startInflux(t testing.TB, release realinflux.Release) influx {
	t.Helper()
	server, err := realinflux.Start(t.Context(), release)
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
	front, err := realinflux.StartFront(server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := front.Close(); err != nil {
			t.Errorf("close the front of InfluxDB: %v", err)
		}
	})
	return influx{front, server, t}
}

// Stop ends the server and refuses connections.
func (i influx) Stop() error {
	i.Down()
	return i.server.Stop()
}

// Start brings the server back at the same address with its data.
func (i influx) Start() error {
	return errors.Join(i.server.Up(context.WithoutCancel(i.t.Context())), i.Up())
}
