package standin

import (
	"context"
	"math"
	"slices"
	"time"

	"fintrans/test/dcos/definition"
	"fintrans/test/dcos/sandbox"
)

// reconcileEvery is the pause between two looks at what is wanted and what is there.
const reconcileEvery = 50 * time.Millisecond

func (c *Cluster) reconcileUntil(ctx context.Context) {
	defer close(c.stopped)
	tick := time.NewTicker(reconcileEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			c.mu.Lock()
			for _, a := range c.apps {
				c.reconcile(a) //nolint:contextcheck // tasks outlive the tick that starts them; Close ends them
			}
			c.mu.Unlock()
		}
	}
}

// reconcile brings the app one step closer to what is wanted of it.
func (c *Cluster) reconcile(a *app) {
	a.tasks = slices.DeleteFunc(a.tasks, func(t *task) bool {
		select {
		case <-t.run.Done():
			c.lostOrEnded(a, t)
			return true
		default:
			return false
		}
	})
	c.flap(a)
	wanted := a.def.Instances
	if a.pkg != nil {
		wanted = 1
	}
	if a.removing {
		wanted = 0
	}
	var old, current []*task
	for _, t := range a.tasks {
		if t.config == a.config {
			current = append(current, t)
		} else {
			old = append(old, t)
		}
	}
	c.killOld(a, old, wanted)
	for i := wanted; i < len(current); i++ {
		current[i].kill()
	}
	c.launchMissing(a, wanted, len(current))
	c.finish(a, wanted)
}

// flap crashes tasks that are to flap.
func (c *Cluster) flap(a *app) {
	after, ok := c.misbehave.Flap[a.id]
	for _, t := range a.tasks {
		if ok && !t.killing && time.Since(t.started) > definition.Seconds(after) {
			t.run.Crash()
		}
	}
}

func (t *task) kill() {
	if !t.killing {
		t.killing = true
		t.run.Kill()
	}
}

// killOld ends tasks of the definition before, as many as the upgrade strategy lets go.
func (c *Cluster) killOld(a *app, old []*task, wanted int) {
	least := int(math.Ceil(a.def.Upgrade.MinimumHealth * float64(wanted)))
	healthy := 0
	for _, t := range a.tasks {
		if !t.killing && t.health(a) != unhealthyNow && t.ready(a) {
			healthy++
		}
	}
	for _, t := range old {
		if t.killing {
			continue
		}
		if t.ready(a) {
			if healthy <= least {
				return
			}
			healthy--
		}
		t.kill()
	}
}

// ready reports whether the task counts as serving.
func (t *task) ready(a *app) bool {
	state, _ := t.run.State()
	return state == sandbox.Running && (len(t.checks) == 0 || t.health(a) == healthyNow)
}

// launchMissing starts what is missing, as far as the upgrade strategy and the agents have room.
func (c *Cluster) launchMissing(a *app, wanted, current int) {
	over := int(math.Floor(a.def.Upgrade.OverCapacity * float64(wanted)))
	for ; current < wanted && len(a.tasks) < wanted+over; current++ {
		if time.Now().Before(a.launchAt) {
			return
		}
		if a.lacking = c.lacking(a); a.lacking != nil {
			return
		}
		c.launch(a)
	}
	if current >= wanted {
		a.lacking = nil
	}
}

// finish ends the deployment, and the app if it is to go, when everything is as wanted.
func (c *Cluster) finish(a *app, wanted int) {
	ready := 0
	for _, t := range a.tasks {
		if t.config == a.config && !t.killing && t.ready(a) {
			ready++
		}
	}
	if len(a.tasks) != wanted || ready != wanted {
		return
	}
	if a.deployment != nil {
		delete(c.deployments, a.deployment.id)
		a.deployment = nil
	}
	if a.removing {
		c.gone(a)
	}
}

// gone forgets an app, and stops what its package has started.
func (c *Cluster) gone(a *app) {
	delete(c.apps, a.id)
	if a.pkg == nil {
		return
	}
	delete(c.packages, a.id)
	a.pkg.stop()
	_ = c.writeHosts() // a name that stays resolves to where nobody listens
}
