package realkafka

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"fintrans/test/child"
)

// loggingConfig sends the log of a broker to its output, but for the values of its some hundred
// properties.
const loggingConfig = `rootLogger.level = INFO
rootLogger.appenderRefs = stdout
rootLogger.appenderRef.stdout.ref = STDOUT
appender.stdout.type = Console
appender.stdout.name = STDOUT
appender.stdout.layout.type = PatternLayout
appender.stdout.layout.pattern = %d{HH:mm:ss.SSS} %-5p %c{1}: %m%n
logger.values.name = kafka.server.KafkaConfig
logger.values.level = WARN
logger.otherValues.name = org.apache.kafka.common.config.AbstractConfig
logger.otherValues.level = WARN
`

// installation is an Apache Kafka that can be run.
type installation struct {
	generation Generation
	java       string // the command
	library    string // the directory with the jars
}

// broker is one of a cluster, whether it runs or not.
type broker struct {
	installation

	id         int
	port       int // of clients and the other brokers
	controller int // port of the controllers' quorum
	dir        string
	process    *child.Process // nil while it does not run
}

func (b *broker) name() string       { return "broker " + strconv.Itoa(b.id) }
func (b *broker) addr() string       { return "127.0.0.1:" + strconv.Itoa(b.port) }
func (b *broker) properties() string { return filepath.Join(b.dir, "server.properties") }
func (b *broker) logging() string    { return filepath.Join(b.dir, "log4j2.properties") }
func (b *broker) log() string        { return filepath.Join(b.dir, "broker.log") }

// prepare writes the broker's files and formats its storage.
func (b *broker) prepare(ctx context.Context, clusterID string, settings properties) error {
	if err := os.Mkdir(b.dir, 0o700); err != nil {
		return err
	}
	if err := settings.write(b.properties()); err != nil {
		return err
	}
	if err := os.WriteFile(b.logging(), []byte(loggingConfig), 0o600); err != nil {
		return err
	}
	args := b.command(b.generation.storage, "format", "--cluster-id", clusterID, "--config", b.properties())
	if output, err := exec.CommandContext(ctx, b.java, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("format the storage of %s: %w\n%s", b.name(), err, output)
	}
	return nil
}

// command returns the arguments of java that run a class. The heap is small, and the JVM is made
// for a quick start: a broker of a test serves one machine, for seconds.
func (b *broker) command(class string, args ...string) []string {
	return append([]string{
		"-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Dlog4j2.configurationFile=" + b.logging(),
		"-cp", filepath.Join(b.library, "*"), class,
	}, args...)
}

func (b *broker) start() error {
	process, err := child.Start(child.Command{
		Name: b.name(), Path: b.java, Args: b.command(b.generation.server, b.properties()), Log: b.log(),
	})
	if err != nil {
		return err
	}
	b.process = process
	return nil
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
