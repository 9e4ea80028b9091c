package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"fintrans/demo/supervise"
	"fintrans/internal/service"
)

// The services.
const (
	generator = "generator"
	ingest    = "influx-ingest"
	detector  = "laundering-detector"
)

// anyPort lets a service choose a port.
const anyPort = "127.0.0.1:0"

// settings are what a service of the demo is told, by the names of the variables, in one of its lives.
// Each service gets these, and nothing of the environment of the demo.
func (d *demo) settings(of string, life int) map[string]string {
	env := map[string]string{
		"BROKER":     strings.Join(d.servers.brokers, ","),
		"LISTEN":     d.endpoints.want(of),
		"LOG_FORMAT": "json",
	}
	switch of {
	case generator:
		env["GEN_WAIT_SEC"] = service.Seconds(d.cfg.wait()).String()
		env["GEN_ACCOUNTS"] = fmt.Sprint(d.cfg.GenAccounts)
		// Each life begins a sequence of transactions, and it is not to be the same again.
		env["GEN_SEED"] = fmt.Sprint(d.seed + uint64(life) - 1)
		env["RING_SHARE"] = d.cfg.RingShare.String()
		env["RING_SPREAD"] = d.cfg.spread().String()
		env["RING_TOTAL"] = fmt.Sprint(2 * d.cfg.AlertThreshold)
	case ingest:
		env["INFLUX_API"] = d.servers.url
		env["INFLUX_TARGET_DB"] = database
		env["KAFKA_GROUP"] = d.group(ingest)
		env["ALERTS_TOPIC"], env["PIPELINE_TOPIC"] = d.topic(alertTopic), d.topic(pipelineTopic)
	case detector:
		env["KAFKA_GROUP"] = d.group(detector)
		env["ALERTS_TOPIC"], env["PIPELINE_TOPIC"] = d.topic(alertTopic), d.topic(pipelineTopic)
		env["ALERT_THRESHOLD"] = fmt.Sprint(d.cfg.AlertThreshold)
		env["ALERT_WINDOW"] = d.cfg.AlertWindow.String()
		env["PROD_OUTPUT"] = fmt.Sprint(!d.screen.Colour()) // its lines are shown as they are
	}
	return env
}

// group is a consumer group of this run alone: those of the services' own names may be at work already.
func (d *demo) group(of string) string { return "fintrans-demo-" + d.run + "-" + of }

// topic is a topic of this run alone, for the same reason.
func (d *demo) topic(of string) string { return "fintrans-demo-" + d.run + "-" + of }

// What the services tell each other beside the money: the topics' names, and the ends of the names of the groups
// in which influx-ingest reads them.
const (
	alertTopic    = "alerts"
	pipelineTopic = "pipeline"
)

// forget removes what only this run needed from the Kafka.
func (d *demo) forget(ctx context.Context) error {
	return errors.Join(
		d.servers.topics.Forget(ctx, d.group(ingest), d.group(ingest)+"-"+alertTopic, d.group(ingest)+"-"+pipelineTopic, d.group(detector)),
		d.servers.topics.Delete(ctx, d.topic(alertTopic), d.topic(pipelineTopic)))
}

// program is the service as a child process.
func (d *demo) program(of string) supervise.Program {
	p := supervise.Program{
		Name: of,
		Path: filepath.Join(d.binaries, of),
		Environment: func(life int) []string {
			if of == generator {
				d.acknowledged.begin(life)
			}
			var environment []string
			for name, value := range d.settings(of, life) {
				environment = append(environment, name+"="+value)
			}
			return environment
		},
		Stdout: func(line string) { d.screen.Linef("%s: %s", of, line) },
		Stderr: func(line string) { d.logged(of, line) },
		Died: func(exit supervise.Exit, pause time.Duration) {
			d.endpoints.ended(of)
			d.screen.Line(d.screen.Bad(fmt.Sprintf("%s died (%v) and starts again in %v", of, exit, pause.Round(time.Millisecond))))
		},
	}
	if of == detector {
		p.Stdout = d.alerted
	}
	return p
}

// logged looks at a line of a service's log.
func (d *demo) logged(of, text string) {
	line, ok := parseLog(text)
	switch {
	case !ok:
		d.screen.Linef("%s: %s", of, text)
	case line.message == "listening":
		if d.endpoints.found(of, line.text("listen")) {
			d.screen.Linef("%-20s http://%s/ready /health /metrics", of, line.text("listen"))
		}
	case of == generator && line.message == "done sending":
		d.acknowledged.saw(d.acknowledged.number(), line.number("sent"))
	case line.severe():
		d.screen.Line(d.screen.Faint(fmt.Sprintf("%s: %s: %s", of, line.level, line)))
	}
}

// alerted takes a line of the detector's stdout.
func (d *demo) alerted(line string) {
	came := time.Now()
	d.screen.Line(line)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.alerts = append(d.alerts, alertLine{line, came})
}

// endpoints are the addresses at which the services listen. A service keeps its own over its lives unless
// somebody else has taken it meanwhile. They are safe for concurrent use.
type endpoints struct {
	mu      sync.Mutex
	address map[string]string
	lives   map[string]bool // has listened in its current life
}

func newEndpoints() *endpoints {
	return &endpoints{address: map[string]string{}, lives: map[string]bool{}}
}

// want is the address for the next life of a service.
func (e *endpoints) want(of string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.address[of] == "" {
		return anyPort
	}
	return e.address[of]
}

// url is where a service listens or has listened last; empty if it never did.
func (e *endpoints) url(of string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.address[of] == "" {
		return ""
	}
	return "http://" + e.address[of]
}

// found notes where a service listens, and reports whether that is news.
func (e *endpoints) found(of, address string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	news := e.address[of] != address
	e.address[of], e.lives[of] = address, true
	return news
}

// ended notes the end of a life. One that could not even listen may have wanted a port that is taken.
func (e *endpoints) ended(of string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.lives[of] {
		delete(e.address, of)
	}
	e.lives[of] = false
}
