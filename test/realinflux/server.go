// Package realinflux runs InfluxDB as a child process on loopback ports: the influxd of this machine, or 1.8.
package realinflux

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"fintrans/test/child"
)

const (
	// startTime is what the server may take until it answers, on a slow and busy machine.
	startTime = time.Minute
	// stopTime is what the server may take for an orderly end.
	stopTime = 30 * time.Second
)

// Server is an InfluxDB 1.x. It is safe for concurrent use.
type Server struct {
	influxd string
	options Options
	dir     string
	api     int            // port
	keeper  *child.Process // of its own disk; nil where it has none

	mu      sync.Mutex
	process *child.Process // nil while it does not run
}

// Release finds the executable of a server.
type Release func(ctx context.Context) (influxd string, err error)

// Options describe a server. The zero value lets everybody in, and has the disk of the machine.
type Options struct {
	// Users are asked for, with their rights: the first one to be created has to be an administrator.
	Users bool
	// Disk is the size of a disk of its own, in MiB, which FillDisk fills. It takes Linux, and the right to mount in a
	// namespace of one's own. 0: none.
	Disk int
}

// Start starts a server without any database and returns when it answers. The caller closes it.
func Start(ctx context.Context, release Release) (*Server, error) {
	return StartWith(ctx, release, Options{})
}

// StartWith is Start of a server that is not as usual.
func StartWith(ctx context.Context, release Release, options Options) (*Server, error) {
	s, err := newServer(ctx, release, options)
	if err == nil {
		err = s.Up(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start InfluxDB: %w", err), s.Close())
	}
	return s, nil
}

// newServer writes a configuration. The server is not nil when there is an error.
func newServer(ctx context.Context, release Release, options Options) (*Server, error) {
	s := &Server{options: options}
	var err error
	if s.influxd, err = release(ctx); err != nil {
		return s, err
	}
	ports, err := child.FreePorts(2)
	if err != nil {
		return s, err
	}
	if s.dir, err = os.MkdirTemp("", "fintrans-influxd-"); err != nil {
		return s, err
	}
	s.api = ports[1]
	data := s.dir
	if options.Disk > 0 {
		data = s.disk()
		if err := os.Mkdir(data, 0o700); err != nil {
			return s, err
		}
		if err := s.mountDisk(ctx); err != nil {
			return s, err
		}
	}
	return s, os.WriteFile(s.config(), []byte(config(data, ports[0], ports[1], options.Users)), 0o600)
}

func (s *Server) config() string { return filepath.Join(s.dir, "influxdb.conf") }
func (s *Server) log() string    { return filepath.Join(s.dir, "influxd.log") }

// URL returns http://host:port. It stays the same for the server's life.
func (s *Server) URL() string { return "http://127.0.0.1:" + strconv.Itoa(s.api) }

// Up starts the server, if it does not run, at the same address and with its data, and returns when
// it answers.
func (s *Server) Up(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		return nil
	}
	process, err := child.Start(s.command())
	if err != nil {
		return err
	}
	s.process = process
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	return process.Await(ctx, s.ping)
}

func (s *Server) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL()+"/ping", http.NoBody)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent {
		return fmt.Errorf("GET /ping: status %d, want %d", answer.StatusCode, http.StatusNoContent)
	}
	return nil
}

// Stop ends the server with SIGTERM.
func (s *Server) Stop() error {
	return s.end(func(p *child.Process) error { return p.Stop(stopTime) })
}

// Kill ends the server with SIGKILL.
func (s *Server) Kill() error { return s.end((*child.Process).Kill) }

func (s *Server) end(how func(*child.Process) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return nil
	}
	process := s.process
	s.process = nil
	return how(process)
}

// Log returns the end of the server's log.
func (s *Server) Log() string { return child.Tail(s.log()) }

// Close ends the server and removes its data.
func (s *Server) Close() error {
	err := s.Kill()
	if s.keeper != nil {
		err = errors.Join(err, s.keeper.Kill())
	}
	if s.dir != "" {
		err = errors.Join(err, os.RemoveAll(s.dir))
	}
	return err
}
