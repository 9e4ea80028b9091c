package service

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// Readiness holds the reasons why the service cannot do its job. It is safe for concurrent use. Until the
// first Check or Set the service is not ready: it has not said yet what it needs.
type Readiness struct {
	mu     sync.Mutex
	checks []check
}

type check struct {
	name   string
	reason func() string
}

// Check adds a check, or replaces the one of that name. It is called at each GET /ready, possibly by
// several goroutines at once, must not block, and returns the reason (one line) or "".
func (r *Readiness) Check(name string, reason func() string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.checks {
		if r.checks[i].name == name {
			r.checks[i].reason = reason
			return
		}
	}
	r.checks = append(r.checks, check{name, reason})
}

// Set states the reason (one line) under name until it is set again; "" is none.
func (r *Readiness) Set(name, reason string) {
	r.Check(name, func() string { return reason })
}

// Reasons evaluates all checks in the order in which they were added: "name: reason" for each that has one.
func (r *Readiness) Reasons() []string {
	r.mu.Lock()
	checks := slices.Clone(r.checks) // a check may take locks of its own, and may call Set
	r.mu.Unlock()
	if len(checks) == 0 {
		return []string{"start: not all is set up yet"}
	}
	var reasons []string
	for _, c := range checks {
		if reason := c.reason(); reason != "" {
			reasons = append(reasons, c.name+": "+oneLine(reason))
		}
	}
	return reasons
}

// Condition is something that may go wrong for a while before it counts, e.g. a sink that refuses for 30 s.
// Its Reason fits Readiness.Check. It is safe for concurrent use.
type Condition struct {
	after time.Duration

	mu     sync.Mutex
	since  time.Time // zero while the condition does not hold
	reason string
}

// NewCondition makes a condition that counts once it has held for as long as after.
func NewCondition(after time.Duration) *Condition { return &Condition{after: after} }

// Fail says that the condition holds, and why; its time runs from the first Fail after a Clear.
func (c *Condition) Fail(reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.since.IsZero() {
		c.since = time.Now()
	}
	c.reason = reason
}

// Clear says that the condition does not hold.
func (c *Condition) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.since = time.Time{}
}

// Reason is the last reason and for how long the condition has held, or "" while it does not count.
func (c *Condition) Reason() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.since.IsZero() {
		return ""
	}
	held := time.Since(c.since)
	if held < c.after {
		return ""
	}
	return fmt.Sprintf("%s (for %s)", c.reason, held.Round(time.Second))
}
