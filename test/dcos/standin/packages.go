package standin

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"fintrans/test/dcos/definition"
	"fintrans/test/dcos/sandbox"
)

// product is a package of the catalog.
type product struct {
	name      string
	versions  []string // the first is the default
	need      share    // of its app
	extra     share    // of what the app starts itself
	public    bool     // on the public agent
	framework bool
	options   map[string][]string // known keys, by object; only where unknown ones are refused
	names     []string            // that resolve while it is installed
	start     func(*running) error
}

// running is an installed package: its servers live as long as it is installed, its task may come and go.
type running struct {
	cluster *Cluster
	product *product
	version string
	options map[string]any
	since   time.Time
	delay   time.Duration // until it runs
	brokers time.Duration // until Kafka's broker runs

	mu      sync.Mutex
	servers []server
	hub     *hub
}

// server is something that a package has started.
type server struct {
	name    string
	address string
	close   func()
}

func (r *running) names() []string { return r.product.names }

func (r *running) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range slices.Backward(r.servers) {
		s.close()
	}
	r.servers = nil
}

func (r *running) add(name, address string, closing func()) {
	r.servers = append(r.servers, server{name, address, closing})
}

func (r *running) report(to *Report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.servers {
		to.Servers[s.name] = s.address
	}
	if r.hub != nil {
		to.Grafana = r.hub.content()
	}
}

// appFields are those of the app that Cosmos renders.
func (r *running) appFields() object {
	labels := object{
		"DCOS_PACKAGE_NAME": r.product.name, "DCOS_PACKAGE_VERSION": r.version,
		"DCOS_PACKAGE_SOURCE": "https://universe.mesosphere.com/repo", "DCOS_PACKAGE_RELEASE": "1",
	}
	if r.product.framework {
		labels["DCOS_SERVICE_NAME"], labels["DCOS_COMMONS_UNINSTALL"] = r.product.name, "true"
	}
	return object{
		"instances": 1, "cpus": r.product.need.cpus, "mem": r.product.need.mem, "disk": 0, "labels": labels,
		"env": object{}, "healthChecks": []object{{"protocol": "MESOS_HTTP", "path": "/"}},
		"container": object{"type": "DOCKER"}, "cmd": nil,
	}
}

// install makes the app of a package. The cluster's mutex is held.
func (c *Cluster) install(name, version string, options map[string]any) error {
	p := catalog[name]
	if p == nil {
		return fmt.Errorf("the catalog has no package %s", name)
	}
	id := "/" + name
	r := &running{
		cluster: c, product: p, version: version, options: options, since: time.Now(),
		delay: definition.Seconds(c.misbehave.PackageDelay), brokers: definition.Seconds(c.misbehave.BrokerDelay),
	}
	a := &app{id: id, pkg: r, version: stamp(), config: 1}
	a.def.Instances = 1
	c.apps[id], c.packages[id] = a, r
	c.deploy(a)
	return nil
}

// launch starts the package's task, which starts its servers when its time has come.
func (r *running) launch(dir string, m Misbehaviour) *builtin {
	b := &builtin{done: make(chan struct{}), kill: make(chan struct{}), crash: make(chan struct{}), state: sandbox.Staging}
	if r.product.framework {
		b.linger = uninstallTime
	}
	go b.live(func() error {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		for _, name := range []string{"stdout", "stderr"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(r.product.name+" "+r.version+" started\n"), 0o644); err != nil {
				return err
			}
		}
		return r.up(m)
	}, r.delay-time.Since(r.since))
	return b
}

// up starts the servers, unless they run.
func (r *running) up(m Misbehaviour) error {
	r.mu.Lock()
	if len(r.servers) > 0 || r.product.start == nil {
		r.mu.Unlock()
		return nil
	}
	err := r.product.start(r)
	if err == nil && m.SilentBrokers && r.product.name == "kafka" {
		r.servers[len(r.servers)-1].close() // the virtual address
	}
	r.mu.Unlock()
	if err != nil {
		r.stop()
		return err
	}
	r.cluster.mu.Lock()
	defer r.cluster.mu.Unlock()
	return r.cluster.writeHosts()
}

// uninstallTime is how long a framework's scheduler takes to remove what it has started.
const uninstallTime = time.Second

// builtin is a task that runs within the cluster's own process.
type builtin struct {
	done, kill, crash chan struct{}
	linger            time.Duration // from the kill to the end

	mu      sync.Mutex
	state   string
	message string
	ending  bool
	crashed bool
}

// live starts after the delay and ends when it is killed.
func (b *builtin) live(start func() error, delay time.Duration) {
	defer close(b.done)
	wait := time.NewTimer(delay)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-b.kill:
		b.set(sandbox.Killed, "killed")
		return
	case <-b.crash:
		b.set(sandbox.Failed, "crashed")
		return
	}
	if err := start(); err != nil {
		b.set(sandbox.Failed, err.Error())
		return
	}
	b.set(sandbox.Running, "")
	select {
	case <-b.kill:
		select {
		case <-time.After(b.linger):
		case <-b.crash:
		}
		b.set(sandbox.Killed, "killed")
	case <-b.crash:
		b.set(sandbox.Failed, "crashed")
	}
}

func (b *builtin) set(state, message string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.state, b.message = state, message
}

func (b *builtin) Done() <-chan struct{} { return b.done }
func (b *builtin) PID() int              { return 0 }

func (b *builtin) State() (state, message string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state, b.message
}

func (b *builtin) Kill() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ending {
		b.ending = true
		close(b.kill)
	}
}

// Crash ends the task at once.
func (b *builtin) Crash() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.crashed {
		b.crashed = true
		close(b.crash)
	}
}

// brokersUp reports whether Kafka's broker has come up behind its scheduler.
func (r *running) brokersUp() bool { return time.Since(r.since) > r.delay+r.brokers }
