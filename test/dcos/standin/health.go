package standin

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"fintrans/test/dcos/definition"
	"fintrans/test/dcos/sandbox"
)

// The three answers to whether a task is healthy.
const (
	unknownYet = iota
	healthyNow
	unhealthyNow
)

// checkResult is what one check of one task has found so far.
type checkResult struct {
	succeeded bool // ever
	failures  int  // in a row, since the grace is over
	alive     bool
	last      string // why it failed last
}

// startChecks checks the task until it ends.
func (c *Cluster) startChecks(a *app, t *task) {
	ctx, cancel := context.WithCancel(context.Background())
	t.endChecks = cancel
	for _, check := range a.def.Checks {
		result := &checkResult{}
		t.checks = append(t.checks, result)
		url := fmt.Sprintf("http://%s:%d%s", c.options.Address, t.ports[check.PortIndex], check.Path)
		go c.check(ctx, t, check, result, url)
	}
}

func (c *Cluster) check(ctx context.Context, t *task, check definition.Check, result *checkResult, url string) {
	client := &http.Client{
		Timeout:       definition.Seconds(check.Timeout),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	tick := time.NewTicker(definition.Seconds(check.Interval))
	defer tick.Stop()
	for {
		if state, _ := t.run.State(); state == sandbox.Running {
			failure := probe(ctx, client, url)
			if ctx.Err() != nil {
				return
			}
			c.mu.Lock()
			if result.note(failure, time.Since(t.started), check) && !t.killing {
				t.kill()
			}
			c.mu.Unlock()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// probe returns why the check fails, nothing if it does not.
func probe(ctx context.Context, client *http.Client, url string) string {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err.Error()
	}
	answer, err := client.Do(request)
	if err != nil {
		return err.Error()
	}
	defer answer.Body.Close()
	if answer.StatusCode < 200 || answer.StatusCode > 399 {
		return answer.Status
	}
	return ""
}

// note notes a result and reports whether the task is to be killed for it.
func (r *checkResult) note(failure string, age time.Duration, check definition.Check) (kill bool) {
	r.last = failure
	if failure == "" {
		r.succeeded, r.alive, r.failures = true, true, 0
		return false
	}
	r.alive = false
	if !r.succeeded && age < definition.Seconds(check.Grace) {
		return false
	}
	r.failures++
	return check.MaxFailures > 0 && r.failures >= check.MaxFailures
}

// health sums up the checks of a task.
func (t *task) health(a *app) int {
	if a.pkg != nil {
		if state, _ := t.run.State(); state == sandbox.Running {
			return healthyNow
		}
		return unknownYet
	}
	if len(t.checks) == 0 {
		return unknownYet
	}
	all := healthyNow
	for _, result := range t.checks {
		switch {
		case result.alive:
		case result.failures > 0:
			return unhealthyNow
		default:
			all = unknownYet
		}
	}
	return all
}
