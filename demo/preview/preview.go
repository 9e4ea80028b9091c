// Package preview shows the dashboards of grafana/ where there is no Grafana: it reads the same files, asks InfluxDB
// the panels' own questions, and serves tables and pictures, made anew every 5 s. It shows what the dashboards hold
// and is no replacement for Grafana: nothing can be changed, and who can reach it can see all of it.
package preview

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"

	"fintrans/demo/dashboards"
)

// askLimit is what all questions of a page may take together. The next page comes after 5 s, so much longer is of no use.
const askLimit = 10 * time.Second

// Options of a preview.
type Options struct {
	// Addr is host:port to listen on, such as 127.0.0.1:13000. Where the port is taken another one is used.
	Addr   string
	Influx dashboards.Influx
}

// Server is a running preview.
type Server struct {
	listener net.Listener
	http     *http.Server
	notice   string
}

// Start serves the preview until the context ends or Close is called. The caller closes it.
func Start(ctx context.Context, options Options) (*Server, error) {
	all, err := dashboards.Load(dashboards.Current)
	if err != nil {
		return nil, err
	}
	s := &Server{}
	if s.listener, s.notice, err = Listen(ctx, options.Addr); err != nil {
		return nil, fmt.Errorf("start the preview: %w", err)
	}
	pages := &pages{all: all, influx: options.Influx, limit: askLimit}
	s.http = &http.Server{
		Handler: pages.routes(), ReadHeaderTimeout: 10 * time.Second,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	go func() { _ = s.http.Serve(s.listener) }() // ends with Close, and says nothing but that
	context.AfterFunc(ctx, func() { _ = s.Close() })
	return s, nil
}

// URL returns http://host:port.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// Notice is a sentence for the user where the preview is elsewhere than was asked for; else it is empty.
func (s *Server) Notice() string { return s.notice }

// Close ends the preview.
func (s *Server) Close() error { return s.http.Close() }

// Listen listens on the address, or on a free port where its port is taken; the notice then says so.
func Listen(ctx context.Context, addr string) (listener net.Listener, notice string, err error) {
	var config net.ListenConfig
	listener, err = config.Listen(ctx, "tcp", addr)
	if !errors.Is(err, syscall.EADDRINUSE) {
		return listener, "", err
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, "", err
	}
	if listener, err = config.Listen(ctx, "tcp", net.JoinHostPort(host, "0")); err != nil {
		return nil, "", err
	}
	return listener, fmt.Sprintf("port %s is taken by another program: the dashboards are at http://%s instead", port, listener.Addr()), nil
}
