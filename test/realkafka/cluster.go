package realkafka

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"fintrans/test/child"
)

const (
	// startTime is what brokers may take until they answer, on a slow and busy machine.
	startTime = 4 * time.Minute
	// stopTime is what a broker may take for an orderly end.
	stopTime = time.Minute
)

// Options describe a cluster. The zero value is one broker of the newest generation.
type Options struct {
	Generation Generation // the zero value is Kafka4
	Brokers    int        // 0 is one
	// Production runs the brokers as Apache Kafka's own script does, instead of for a quick start: for what is measured.
	Production bool
	Listeners  Listeners
	Security   *Security // nil: the plain listener, and Listeners, are the only ones
}

// Cluster is a cluster of Apache Kafka. It is safe for concurrent use.
type Cluster struct {
	dir      string
	security *Security

	mu      sync.Mutex // held while brokers are started and ended
	brokers []*broker  // the slice itself never changes
	keeper  *zooKeeper // nil where there is none
}

// Start starts a cluster and returns when its brokers answer. The first time, it fetches Apache
// Kafka, which takes up to some minutes. The caller closes the cluster.
func Start(ctx context.Context, options Options) (*Cluster, error) {
	if options.Generation == (Generation{}) {
		options.Generation = Kafka4
	}
	c := &Cluster{}
	installed, err := install(ctx, options)
	if err == nil {
		c, err = newCluster(ctx, options, installed)
	}
	if err == nil {
		err = c.Up(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start Apache Kafka: %w", err), c.Close())
	}
	return c, nil
}

// newCluster lays out a cluster, ready to be started. It is not nil when there is an error.
func newCluster(ctx context.Context, options Options, installed installation) (*Cluster, error) {
	c := &Cluster{security: options.Security}
	n, further := max(1, options.Brokers), len(options.Listeners.Names)
	secured := len(c.security.listeners())
	ports, err := child.FreePorts((2+further+secured)*n + 1)
	if err != nil {
		return c, err
	}
	if c.dir, err = os.MkdirTemp("", "fintrans-kafka-"); err != nil {
		return c, err
	}
	for id := range n {
		c.brokers = append(c.brokers, &broker{
			installation: installed,
			id:           id, port: ports[id], controller: ports[n+id],
			secured: ports[2*n+1+secured*id:][:secured],
			dir:     filepath.Join(c.dir, strconv.Itoa(id)),
		})
		at := (2+secured)*n + 1 + id*further
		if err := c.brokers[id].listen(options.Listeners, ports[at:at+further]); err != nil {
			return c, err
		}
	}
	clusterID, settings := newClusterID(), kraft
	if options.Generation.zooKeeper != "" {
		c.keeper = &zooKeeper{installation: installed, port: ports[2*n], dir: filepath.Join(c.dir, "zookeeper")}
		if err := c.keeper.start(ctx); err != nil {
			return c, err
		}
		if err := c.keeper.addUsers(ctx, c.security); err != nil {
			return c, err
		}
		settings = func(b *broker, all []*broker) properties { return withZooKeeper(b, all, c.keeper.addr()) }
	}
	return c, each(c.brokers, func(b *broker) error {
		return b.prepare(ctx, clusterID, withListeners(b, settings(b, c.brokers)), c.security)
	})
}

// newClusterID returns an id as Apache Kafka makes them: 16 random bytes as base64.
func newClusterID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	id[0] &= 0x3f           // an id that begins with a dash would be an option of the command
	return base64.RawURLEncoding.EncodeToString(id[:])
}

// Addrs returns host:port of each broker. They stay the same for the cluster's life.
func (c *Cluster) Addrs() []string {
	addrs := make([]string, len(c.brokers))
	for i, b := range c.brokers {
		addrs[i] = b.addr()
	}
	return addrs
}

// Up starts the given brokers, or all where none is given, at the same addresses and with their
// data, and returns when each of them knows all that run. Those that run already are left alone.
func (c *Cluster) Up(ctx context.Context, brokers ...int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	chosen := c.chosen(brokers)
	for _, b := range chosen {
		if b.process == nil {
			if err := b.start(); err != nil {
				return err
			}
		}
	}
	running := 0
	for _, b := range c.brokers {
		if b.process != nil {
			running++
		}
	}
	return each(chosen, func(b *broker) error {
		return b.await(ctx, running)
	})
}

// Stop ends the given brokers, or all where none is given, with SIGTERM: they hand over what they
// lead, close their logs and end.
func (c *Cluster) Stop(brokers ...int) error {
	return c.end(brokers, func(p *child.Process) error { return p.Stop(stopTime) })
}

// Kill ends the given brokers, or all where none is given, with SIGKILL.
func (c *Cluster) Kill(brokers ...int) error {
	return c.end(brokers, (*child.Process).Kill)
}

// Freeze stops a broker as a machine does that hangs: its connections stay, and nothing is answered until Thaw. Kill ends
// a frozen one, Stop does not.
func (c *Cluster) Freeze(broker int) error { return c.signal(broker, (*child.Process).Freeze) }

// Thaw has a frozen broker go on.
func (c *Cluster) Thaw(broker int) error { return c.signal(broker, (*child.Process).Thaw) }

// signal does something to a broker that runs.
func (c *Cluster) signal(broker int, how func(*child.Process) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.brokers[broker]
	if b.process == nil {
		return fmt.Errorf("%s does not run", b.name())
	}
	return how(b.process)
}

func (c *Cluster) end(brokers []int, how func(*child.Process) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return each(c.chosen(brokers), func(b *broker) error { return b.end(how) })
}

// Logs returns the end of each broker's log.
func (c *Cluster) Logs() []string {
	logs := make([]string, len(c.brokers))
	for i, b := range c.brokers {
		logs[i] = child.Tail(b.log())
	}
	return logs
}

// Close ends the cluster and removes its data.
func (c *Cluster) Close() error {
	err := errors.Join(c.Kill(), c.keeper.end())
	if c.dir != "" {
		err = errors.Join(err, os.RemoveAll(c.dir))
	}
	return err
}

func (c *Cluster) chosen(brokers []int) []*broker {
	if len(brokers) == 0 {
		return c.brokers
	}
	chosen := make([]*broker, len(brokers))
	for i, id := range brokers {
		chosen[i] = c.brokers[id]
	}
	return chosen
}

// each does something with all brokers at the same time.
func each(brokers []*broker, do func(*broker) error) error {
	failed := make([]error, len(brokers))
	var all sync.WaitGroup
	for i, b := range brokers {
		all.Go(func() { failed[i] = do(b) })
	}
	all.Wait()
	return errors.Join(failed...)
}
