// Package kafka is what the services need of Kafka beside reading and writing:
// a checked sarama configuration from the settings, a connection that is tried
// until it stands, the topics, offsets by time, a Fetcher of partitions as they
// grow, and a Reader of exactly one range of a partition.
//
// Blocking calls into sarama take seconds when a broker is away. Where a
// function takes a tick, it calls it at least once a second for as long as it
// runs, so that the caller's loop counts as alive.
package kafka

import (
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/IBM/sarama"
	"github.com/rcrowley/go-metrics"
	"github.com/sirupsen/logrus"
)

// saramaLog passes what sarama says about itself on to the service's log.
var saramaLog debugLog

func init() {
	// sarama's own meters are not exported anywhere, cost time on every request
	// and keep a goroutine for ever. Its logger is set once, before any use:
	// replacing the variable later would be a data race.
	metrics.UseNilMetrics = true
	sarama.Logger = &saramaLog
}

// debugLog is a sarama.StdLogger that writes to a logrus logger at debug level.
// Until it has one it discards.
type debugLog struct {
	to atomic.Pointer[logrus.FieldLogger]
}

func (d *debugLog) use(log logrus.FieldLogger) { d.to.Store(&log) }

func (d *debugLog) write(format func() string) {
	log := d.to.Load()
	if log == nil || !debugEnabled(*log) {
		return
	}
	(*log).WithField("library", "sarama").Debug(strings.TrimSpace(format()))
}

func (d *debugLog) Print(v ...any)   { d.write(func() string { return fmt.Sprint(v...) }) }
func (d *debugLog) Println(v ...any) { d.write(func() string { return fmt.Sprintln(v...) }) }
func (d *debugLog) Printf(f string, v ...any) {
	d.write(func() string { return fmt.Sprintf(f, v...) })
}

func debugEnabled(log logrus.FieldLogger) bool {
	switch l := log.(type) {
	case *logrus.Logger:
		return l.IsLevelEnabled(logrus.DebugLevel)
	case *logrus.Entry:
		return l.Logger.IsLevelEnabled(logrus.DebugLevel)
	}
	return true
}
