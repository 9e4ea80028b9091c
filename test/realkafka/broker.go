package realkafka

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"

	"fintrans/test/child"
)

// installation is an Apache Kafka that can be run.
type installation struct {
	generation Generation
	java       string   // the command
	library    string   // the directory with the jars
	jvm        []string // the options of java
}

// install finds Java, and fetches what has to be fetched the first time.
func install(ctx context.Context, options Options) (installation, error) {
	i := installation{generation: options.Generation}
	var err error
	if i.java, err = FindJava(); err != nil {
		return i, err
	}
	if i.library, err = options.Generation.library(ctx); err != nil {
		return i, err
	}
	if options.Production {
		i.jvm = production
		return i, nil
	}
	i.jvm = slices.Clone(quick)
	err = i.archive(ctx)
	return i, err
}

// quick is a JVM for a server of a test, which serves one machine, for seconds: a small heap and a quick start.
var quick = []string{"-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"}

// production is what kafka-server-start.sh gives to the JVM.
var production = []string{"-Xms1g", "-Xmx1g", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:InitiatingHeapOccupancyPercent=35"}

// command returns the arguments of java that run a class, with the configuration of its log in dir. What it unpacks there
// as well, the libraries of codecs, a killed one would leave behind elsewhere.
func (i installation) command(dir, class string, args ...string) []string {
	return append(append(slices.Clone(i.jvm),
		i.generation.logging.option+filepath.Join(dir, i.generation.logging.file), "-Djava.io.tmpdir="+dir,
		"-cp", filepath.Join(i.library, "*"), class,
	), args...)
}

// makeDir makes the directory of a server, with the configuration of its log.
func (i installation) makeDir(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, i.generation.logging.file), []byte(i.generation.logging.text), 0o600)
}

// broker is one of a cluster, whether it runs or not.
type broker struct {
	installation

	id         int
	port       int // of clients and the other brokers
	controller int // port of the controllers' quorum
	listeners  []listener
	secured    []int // ports of the listeners of Security
	dir        string
	process    *child.Process // nil while it does not run
}

func (b *broker) name() string       { return "broker " + strconv.Itoa(b.id) }
func (b *broker) addr() string       { return "127.0.0.1:" + strconv.Itoa(b.port) }
func (b *broker) properties() string { return filepath.Join(b.dir, "server.properties") }
func (b *broker) log() string        { return filepath.Join(b.dir, "broker.log") }

// prepare writes the broker's files and formats its storage, where that has to be done.
func (b *broker) prepare(ctx context.Context, clusterID string, settings properties, security *Security) error {
	if err := b.makeDir(b.dir); err != nil {
		return err
	}
	if err := b.secure(security, settings); err != nil {
		return err
	}
	if err := settings.write(b.properties()); err != nil {
		return err
	}
	if b.generation.storage == "" {
		return nil
	}
	args := b.command(b.dir, b.generation.storage, append([]string{
		"format", "--cluster-id", clusterID, "--config", b.properties(),
	}, security.scramOfFormat()...)...)
	if output, err := exec.CommandContext(ctx, b.java, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("format the storage of %s: %w\n%s", b.name(), err, output)
	}
	return nil
}

func (b *broker) start() error {
	process, err := child.Start(child.Command{
		Name: b.name(), Path: b.java, Args: b.command(b.dir, b.generation.server, b.properties()), Log: b.log(),
	})
	if err != nil {
		return err
	}
	b.process = process
	return nil
}

// await returns when the broker knows that so many run. One with ZooKeeper, in which the session of its life before has not
// run out, or whose own has while it was starting, ends: as whoever runs such brokers does, it is started again.
func (b *broker) await(ctx context.Context, running int) error {
	for {
		err := b.process.Await(ctx, func(ctx context.Context) error { return b.knows(ctx, running) })
		var ended *exec.ExitError
		if !errors.As(err, &ended) || b.generation.zooKeeper == "" || ctx.Err() != nil {
			return err
		}
		if err := b.start(); err != nil {
			return err
		}
	}
}

// end ends the broker, if it runs, in the way given.
func (b *broker) end(how func(*child.Process) error) error {
	if b.process == nil {
		return nil
	}
	process := b.process
	b.process = nil
	return how(process)
}
