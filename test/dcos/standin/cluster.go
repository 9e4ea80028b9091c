package standin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Options describes a cluster.
type Options struct {
	// Dir holds the sandboxes.
	Dir string
	// Address is the loopback address of agents and virtual addresses; each cluster needs one of its own.
	Address string
	// Hosts is a file that is the /etc/hosts of everything that the cluster runs; the cluster writes it.
	Hosts string
	// Version of DC/OS that it plays, from 1.9 on.
	Version string
	// Token is what a client has to show; Password is what a user named admin gets one for.
	Token, Password string
	// CPUs and Mem (in MB) are those of the private agent; 0 is plenty.
	CPUs, Mem float64
	// NoPublicAgent leaves the public agent away.
	NoPublicAgent bool
	// HidePublicIP keeps the public agent's outside address secret, as clusters before 2.0 do.
	HidePublicIP bool
	// Installed are packages that were there before.
	Installed []Installed
	// Plugin is a zip with the Go client's core plugin to offer; empty is none.
	Plugin string
	// Misbehaviour is where it starts.
	Misbehaviour Misbehaviour
}

// Installed is a package that was there before, in the given version.
type Installed struct{ Name, Version string }

// Cluster is a running stand-in. It is safe for concurrent use.
type Cluster struct {
	options Options
	id      string
	url     string
	server  *http.Server
	cancel  context.CancelFunc
	stopped chan struct{} // closed when nothing is reconciled any more

	mu          sync.Mutex
	misbehave   Misbehaviour
	apps        map[string]*app
	packages    map[string]*running // by app id
	completed   []*task
	deployments map[string]*deployment
	nextPort    int
	requests    []string // method and path of each request so far
}

// Start starts a cluster. The caller closes it.
func Start(options Options) (*Cluster, error) {
	if options.Version == "" {
		options.Version = "2.1.0"
	}
	if options.CPUs == 0 {
		options.CPUs, options.Mem = 8, 16*1024
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := &Cluster{
		options: options, id: uuid.NewString(), misbehave: options.Misbehaviour, cancel: cancel,
		apps: map[string]*app{}, packages: map[string]*running{}, deployments: map[string]*deployment{},
		nextPort: 10101, stopped: make(chan struct{}),
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(options.Address, "0"))
	if err != nil {
		cancel()
		return nil, fmt.Errorf("listen as admin router: %w", err)
	}
	c.url = "http://" + listener.Addr().String()
	if err := c.writeHosts(); err != nil {
		cancel()
		return nil, errors.Join(err, listener.Close())
	}
	for _, installed := range options.Installed {
		if err := c.install(installed.Name, installed.Version, nil); err != nil {
			cancel()
			return nil, errors.Join(err, listener.Close())
		}
	}
	c.server = &http.Server{Handler: c.router(), ReadHeaderTimeout: time.Minute}
	go func() { _ = c.server.Serve(listener) }() // ends with Close
	go c.reconcileUntil(ctx)
	return c, nil
}

// URL is what a client is attached to.
func (c *Cluster) URL() string { return c.url }

// ID is the cluster's id, a UUID.
func (c *Cluster) ID() string { return c.id }

// Close ends all tasks and servers.
func (c *Cluster) Close() error {
	c.cancel()
	<-c.stopped
	err := c.server.Close()
	for _, t := range c.crashAll() {
		<-t.run.Done() // without the mutex, which a package that is being started wants
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.packages {
		r.stop()
	}
	return err
}

// crashAll ends all tasks, and returns them.
func (c *Cluster) crashAll() []*task {
	c.mu.Lock()
	defer c.mu.Unlock()
	var tasks []*task
	for _, a := range c.apps {
		for _, t := range a.tasks {
			t.endChecks()
			t.run.Crash()
			tasks = append(tasks, t)
		}
	}
	return tasks
}

// writeHosts writes the names that resolve at present.
func (c *Cluster) writeHosts() error {
	if c.options.Hosts == "" {
		return nil
	}
	text := "127.0.0.1 localhost\n" + c.options.Address + " leader.mesos master.mesos\n"
	for _, r := range c.packages {
		for _, name := range r.names() {
			text += c.options.Address + " " + name + "\n"
		}
	}
	// In place: the file is mounted, another in its stead would not be.
	return os.WriteFile(c.options.Hosts, []byte(text), 0o644)
}

func (c *Cluster) sandbox(taskID string) string {
	return filepath.Join(c.options.Dir, taskID)
}
