package harness

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// listening finds the address in the line that a service logs when it listens.
var listening = regexp.MustCompile(`msg=listening .*\blisten="?([^" ]+)"?`)

// URL waits until the running process listens and returns http://host:port.
func (p *Process) URL() string {
	p.t.Helper()
	run := p.current()
	url := ""
	Eventually(p.t, func() (bool, string) {
		for _, line := range p.log.from(run.since) {
			if found := listening.FindStringSubmatch(line); found != nil {
				url = "http://" + found[1]
				return true, ""
			}
		}
		if run.ended() {
			p.t.Fatalf("%s ended with status %d before it listened", p.service, run.status)
		}
		return false, p.service + " has not logged where it listens"
	})
	return url
}

// client is of the tests alone: it keeps no connection to a process that may be killed next.
var client = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// Get returns status and text of a page such as /ready, or status 0 and the error if there is no answer.
func (p *Process) Get(path string) (status int, body string) {
	p.t.Helper()
	answer, err := client.Get(p.URL() + path)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error()
	}
	return answer.StatusCode, strings.TrimSpace(string(text))
}

// AwaitReady waits until /ready answers 200.
func (p *Process) AwaitReady() {
	p.t.Helper()
	Eventually(p.t, func() (bool, string) {
		status, body := p.Get("/ready")
		return status == http.StatusOK, fmt.Sprintf("/ready of %s answers %d: %s", p.service, status, body)
	})
}

// AwaitLog waits until the running process has logged a line that contains the text.
func (p *Process) AwaitLog(text string) {
	p.t.Helper()
	since := p.current().since
	Eventually(p.t, func() (bool, string) {
		for _, line := range p.log.from(since) {
			if strings.Contains(line, text) {
				return true, ""
			}
		}
		return false, fmt.Sprintf("%s has not logged %q", p.service, text)
	})
}

// Labels choose samples of a metric: those that have all of these labels.
type Labels map[string]string

// Metric returns the sum of the metric's samples that have the labels, and how many there are.
// There are none as well while the process does not answer.
func (p *Process) Metric(name string, labels Labels) (sum float64, samples int) {
	p.t.Helper()
	status, text := p.Get("/metrics")
	if status != http.StatusOK {
		return 0, 0
	}
	for line := range strings.Lines(text) {
		sample, ok := parseSample(strings.TrimSpace(line))
		if ok && sample.name == name && sample.matches(labels) {
			sum += sample.value
			samples++
		}
	}
	return sum, samples
}

// sample is a line of the Prometheus text format.
type sample struct {
	name   string
	labels Labels
	value  float64
}

var (
	sampleLine  = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([^ ]+)(?: -?[0-9]+)?$`)
	sampleLabel = regexp.MustCompile(`([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"`)
)

// parseSample reads a line; comments and empty lines are none.
func parseSample(line string) (sample, bool) {
	found := sampleLine.FindStringSubmatch(line)
	if found == nil {
		return sample{}, false
	}
	value, err := strconv.ParseFloat(found[3], 64)
	if err != nil || math.IsNaN(value) {
		return sample{}, false
	}
	s := sample{name: found[1], labels: Labels{}, value: value}
	unescape := strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "\n")
	for _, label := range sampleLabel.FindAllStringSubmatch(found[2], -1) {
		s.labels[label[1]] = unescape.Replace(label[2])
	}
	return s, true
}

func (s sample) matches(labels Labels) bool {
	for name, value := range labels {
		if got, ok := s.labels[name]; !ok || got != value {
			return false
		}
	}
	return true
}
