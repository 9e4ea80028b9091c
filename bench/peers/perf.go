package peers

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"sync"
	"time"

	"fintrans/bench/measure"
	"fintrans/bench/scene"
)

// What the tools write last, with their records per second.
const (
	producerLine = `^\d+ records sent, (\d+(?:\.\d+)?) records/sec`
	// start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms,
	// fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec
	consumerLine = `^(?:[^,]+, ){9}(\d+(?:\.\d+)?)$`
)

// perfHeap is what kafka-producer-perf-test.sh and kafka-consumer-perf-test.sh give their JVM.
const perfHeap = "-Xmx512M"

// ProducerPerformance has Kafka's own tool send records of this size to a topic: acknowledged by all in-sync
// replicas, once, and otherwise as the properties (NAME=VALUE) of the producer say. Its elapsed time is the one that it says itself, from its first record on; its processor time
// includes the start of the JVM.
func ProducerPerformance(ctx context.Context, s *scene.Scene, broker, topic string, total int64, size int, properties ...string) (measure.Figures, error) {
	var said lastLine
	args := []string{perfHeap, "org.apache.kafka.tools.ProducerPerformance",
		"--bootstrap-server", broker, "--topic", topic, "--num-records", strconv.FormatInt(total, 10),
		"--record-size", strconv.Itoa(size), "--throughput", "-1",
		"--command-property", "acks=all", "enable.idempotence=true"}
	p, err := java(ctx, s, said.keep, "ProducerPerformance", append(args, properties...)...)
	if err != nil {
		return measure.Figures{}, err
	}
	defer p.Kill()
	if err := p.Wait(ctx); err != nil {
		return measure.Figures{}, err
	}
	perSecond, err := said.number(producerLine)
	if err != nil {
		return measure.Figures{}, p.Failure(err)
	}
	return ofTool(p, total, perSecond)
}

// ConsumerPerformance has Kafka's own tool read this many records of the topics. Its elapsed time is the one that
// it says itself for fetching; its processor time includes the start of the JVM.
func ConsumerPerformance(ctx context.Context, s *scene.Scene, broker, topics string, total int64) (measure.Figures, error) {
	var said lastLine
	p, err := java(ctx, s, said.keep, "ConsumerPerformance", perfHeap, "org.apache.kafka.tools.ConsumerPerformance",
		"--bootstrap-server", broker, "--include", topics, "--num-records", strconv.FormatInt(total, 10),
		"--group", s.Name("perf"), "--hide-header")
	if err != nil {
		return measure.Figures{}, err
	}
	defer p.Kill()
	if err := p.Wait(ctx); err != nil {
		return measure.Figures{}, err
	}
	perSecond, err := said.number(consumerLine)
	if err != nil {
		return measure.Figures{}, p.Failure(err)
	}
	return ofTool(p, total, perSecond)
}

func ofTool(p *measure.Process, total int64, perSecond float64) (measure.Figures, error) {
	cpu, err := p.CPU()
	if err != nil {
		return measure.Figures{}, err
	}
	peak, err := p.Peak()
	return measure.Figures{
		Records: total, Elapsed: time.Duration(float64(total) / perSecond * float64(time.Second)), CPU: cpu, Peak: peak,
	}, err
}

// lastLine is the last line that a tool has written.
type lastLine struct {
	mu   sync.Mutex
	line string
}

func (l *lastLine) keep(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.line = line
}

// number is what the group of the pattern has found in the line.
func (l *lastLine) number(pattern string) (float64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := regexp.MustCompile(pattern).FindStringSubmatch(l.line)
	if found == nil {
		return 0, fmt.Errorf("its last line is %q: expected one like %s", l.line, pattern)
	}
	return strconv.ParseFloat(found[1], 64)
}
