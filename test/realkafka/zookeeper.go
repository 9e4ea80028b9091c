package realkafka

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"fintrans/test/child"
)

// zooKeeper is the server that the brokers of an old generation keep their metadata in. It stays up while they
// are killed and started.
type zooKeeper struct {
	installation

	port    int
	dir     string
	process *child.Process // nil while it does not run
}

func (z *zooKeeper) addr() string { return "127.0.0.1:" + strconv.Itoa(z.port) }
func (z *zooKeeper) log() string  { return filepath.Join(z.dir, "zookeeper.log") }

// start starts it and returns when it accepts connections.
func (z *zooKeeper) start(ctx context.Context) error {
	if err := z.makeDir(z.dir); err != nil {
		return err
	}
	config := filepath.Join(z.dir, "zoo.cfg")
	// The tick bounds sessions from below: a broker that is killed has to be gone before it is back.
	text := fmt.Sprintf("tickTime=500\ndataDir=%s\nclientPort=%d\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\n",
		filepath.Join(z.dir, "data"), z.port)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	process, err := child.Start(child.Command{
		Name: "ZooKeeper", Path: z.java, Args: z.command(z.dir, z.generation.zooKeeper, config), Log: z.log(),
	})
	if err != nil {
		return err
	}
	z.process = process
	return process.Await(ctx, func(ctx context.Context) error {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", z.addr())
		if err != nil {
			return err
		}
		return conn.Close()
	})
}

// end ends it, if it runs.
func (z *zooKeeper) end() error {
	if z == nil || z.process == nil {
		return nil
	}
	process := z.process
	z.process = nil
	return process.Kill()
}
