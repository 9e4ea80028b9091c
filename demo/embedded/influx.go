package embedded

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"github.com/influxdata/influxdb/cmd/influxd/run"
	"github.com/influxdata/influxdb/services/httpd"
	"github.com/influxdata/influxdb/services/meta"
	"github.com/influxdata/influxdb/services/retention"
)

// version is what the server reports; go.mod pins the same.
const version = "1.8.10"

// InfluxOptions describes an InfluxDB. The zero value is one with a temporary directory on a free port.
type InfluxOptions struct {
	// Dir keeps the data; empty is a temporary directory, which Close removes.
	Dir string
	// Port of the HTTP API.
	Port int
	// Users are asked for, with their rights: the first one to be created has to be an administrator.
	Users bool
}

// Influx is an InfluxDB 1.8 in this process. It is safe for concurrent use.
type Influx struct {
	*Front
	dir       string
	temporary bool
	users     bool

	mu     sync.RWMutex
	server *run.Server  // nil while stopped
	api    http.Handler // of the server
}

// StartInflux starts an InfluxDB, in a few milliseconds. The caller closes it.
func StartInflux(options InfluxOptions) (*Influx, error) {
	i := &Influx{dir: options.Dir, users: options.Users}
	if i.dir == "" {
		dir, err := os.MkdirTemp("", "fintrans-influx-")
		if err != nil {
			return nil, fmt.Errorf("start the embedded InfluxDB: %w", err)
		}
		i.dir, i.temporary = dir, true
	}
	var err error
	if i.Front, err = StartFront(options.Port, http.HandlerFunc(i.handle)); err == nil {
		err = i.Start()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the embedded InfluxDB: %w", err), i.Close())
	}
	return i, nil
}

// Start brings a stopped server back, at the same address and with its data.
func (i *Influx) Start() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.server != nil {
		return nil
	}
	config := influxConfig(i.dir)
	config.HTTPD.AuthEnabled = i.users
	server, api, err := openInflux(config)
	if err != nil {
		return err
	}
	i.server, i.api = server, api
	return i.Up()
}

// Stop ends the server: connections are cut and new ones refused. The data is kept.
func (i *Influx) Stop() error {
	i.Down()
	i.mu.Lock() // waits for the requests in progress
	defer i.mu.Unlock()
	if i.server == nil {
		return nil
	}
	server := i.server
	i.server = nil
	return server.Close()
}

// Close ends the server and removes its directory if that was temporary.
func (i *Influx) Close() error {
	var failed []error
	if i.Front != nil {
		failed = append(failed, i.Front.Close(), i.Stop())
	}
	if i.temporary {
		failed = append(failed, os.RemoveAll(i.dir))
	}
	return errors.Join(failed...)
}

// handle passes a request to the server's own handler.
func (i *Influx) handle(w http.ResponseWriter, r *http.Request) {
	i.mu.RLock()
	defer i.mu.RUnlock()
	if i.server == nil {
		panic(http.ErrAbortHandler) // it was stopped while the request came in
	}
	i.api.ServeHTTP(w, r)
}

// openInflux opens the parts of a server that store and answer queries. Server.Open would also
// open two listeners that nobody needs here, and log to stderr whatever it is told.
func openInflux(config *run.Config) (*run.Server, http.Handler, error) {
	server, err := run.NewServer(config, &run.BuildInfo{Version: version})
	if err != nil {
		return nil, nil, err
	}
	server.PointsWriter.MetaClient = server.MetaClient
	server.Subscriber.MetaClient = server.MetaClient
	expiry := retention.NewService(config.Retention)
	expiry.MetaClient, expiry.TSDBStore = server.MetaClient, server.TSDBStore
	server.Services = append(server.Services, expiry)
	for _, part := range []interface{ Open() error }{server.TSDBStore, server.PointsWriter, expiry} {
		if err := part.Open(); err != nil {
			return nil, nil, errors.Join(err, server.Close())
		}
	}
	return server, influxAPI(server, config.HTTPD), nil
}

// influxAPI returns the handler of the HTTP API.
func influxAPI(server *run.Server, config httpd.Config) http.Handler {
	api := httpd.NewHandler(config)
	api.Version = version
	api.MetaClient = server.MetaClient
	api.QueryAuthorizer = meta.NewQueryAuthorizer(server.MetaClient)
	api.WriteAuthorizer = meta.NewWriteAuthorizer(server.MetaClient)
	api.QueryExecutor = server.QueryExecutor
	api.PointsWriter = server.PointsWriter
	api.Monitor = server.Monitor
	return api
}

// influxConfig is the configuration of a quiet server that talks to nobody.
func influxConfig(dir string) *run.Config {
	config := run.NewConfig()
	config.ReportingDisabled = true
	config.Meta.Dir = filepath.Join(dir, "meta")
	config.Meta.LoggingEnabled = false
	config.Data.Dir = filepath.Join(dir, "data")
	config.Data.WALDir = filepath.Join(dir, "wal")
	config.Data.QueryLogEnabled = false
	config.Subscriber.Enabled = false
	config.HTTPD.LogEnabled = false
	config.HTTPD.PprofEnabled = false
	return config
}
