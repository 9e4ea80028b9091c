package standin

import (
	"maps"
	"slices"
)

// Report is what the cluster holds, for tests.
type Report struct {
	ID       string            `json:"id"`
	Apps     []string          `json:"apps"`
	Tasks    []ReportedTask    `json:"tasks"`   // that live, then those that have ended
	Servers  map[string]string `json:"servers"` // addresses of what the packages started: kafka, influxdb, grafana
	Grafana  GrafanaContent    `json:"grafana"`
	Requests []string          `json:"requests"` // method and path of each so far
}

// ReportedTask is a task.
type ReportedTask struct {
	ID      string `json:"id"`
	App     string `json:"app"`
	State   string `json:"state"`
	Message string `json:"message"`
	PID     int    `json:"pid"`
	Port    int    `json:"port"`
	Sandbox string `json:"sandbox"`
	Ended   bool   `json:"ended"`
}

func (c *Cluster) report() Report {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := Report{ID: c.id, Apps: slices.Sorted(maps.Keys(c.apps)), Servers: map[string]string{}, Requests: slices.Clone(c.requests)}
	add := func(t *task, ended bool) {
		state, message := t.run.State()
		port := 0
		if len(t.ports) > 0 {
			port = t.ports[0]
		}
		r.Tasks = append(r.Tasks, ReportedTask{t.id, t.app, state, message, t.run.PID(), port, c.sandbox(t.id), ended})
	}
	for _, id := range r.Apps {
		for _, t := range c.apps[id].tasks {
			add(t, false)
		}
	}
	for _, t := range c.completed {
		add(t, true)
	}
	for _, running := range c.packages {
		running.report(&r)
	}
	return r
}
