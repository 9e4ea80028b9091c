package standin

import "fintrans/test/dcos/sandbox"

// share is an amount of an agent's resources.
type share struct{ cpus, mem float64 }

func (s share) plus(o share) share { return share{s.cpus + o.cpus, s.mem + o.mem} }

// agent is a machine of the cluster.
type agent struct {
	id, hostname string
	public       bool
	total        share
}

func (c *Cluster) agents() []agent {
	list := []agent{{id: "standin-S0", hostname: c.options.Address, total: share{c.options.CPUs, c.options.Mem}}}
	if !c.options.NoPublicAgent {
		list = append(list, agent{id: "standin-S1", hostname: "10.0.2.10", public: true, total: share{4, 8 * 1024}})
	}
	return list
}

// onPublic reports whether the app runs on the public agent.
func (a *app) onPublic() bool { return a.pkg != nil && a.pkg.product.public }

// need is what one task of the app takes.
func (a *app) need() share {
	if a.pkg != nil {
		return a.pkg.product.need
	}
	return share{a.def.CPUs, a.def.Mem}
}

// used is what is taken of the private or the public agent.
func (c *Cluster) used(public bool) share {
	var sum share
	for _, a := range c.apps {
		if a.onPublic() != public {
			continue
		}
		for _, t := range a.tasks {
			sum = sum.plus(a.need())
			if state, _ := t.run.State(); a.pkg != nil && state == sandbox.Running {
				sum = sum.plus(a.pkg.product.extra)
			}
		}
	}
	return sum
}

// lacking says why no offer fits the app, nil if one does.
func (c *Cluster) lacking(a *app) map[string]int {
	for _, agent := range c.agents() {
		if agent.public != a.onPublic() {
			continue
		}
		used, need := c.used(agent.public), a.need()
		reasons := map[string]int{}
		if used.cpus+need.cpus > agent.total.cpus {
			reasons["InsufficientCpus"] = 1
		}
		if used.mem+need.mem > agent.total.mem {
			reasons["InsufficientMemory"] = 1
		}
		if len(reasons) == 0 {
			return nil
		}
		return reasons
	}
	return map[string]int{"UnfulfilledRole": 1}
}
