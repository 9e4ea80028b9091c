package standin

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"fintrans/test/dcos/sandbox"
)

const (
	leaderIP         = "10.0.0.1"
	marathonID       = "standin-marathon"
	kafkaFramework   = "standin-kafka"
	kafkaBrokerName  = "kafka-0-broker"
	executorOfTask   = "" // a command task has none of its own
	agentPort        = 5051
	minimumOfPorts   = "[1025-32000]"
	faultDomainStand = "standin"
)

// routeMesos answers what is asked of the master, the agents and the name server.
func (c *Cluster) routeMesos(mux *http.ServeMux) {
	for _, path := range []string{"/mesos/master/state", "/mesos/master/state.json", "/mesos/state", "/mesos/state.json"} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) { respond(w, http.StatusOK, c.state(true)) })
	}
	for _, path := range []string{"/mesos/master/state-summary", "/mesos/state-summary"} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) { respond(w, http.StatusOK, c.state(false)) })
	}
	mux.HandleFunc("POST /mesos/api/v1", c.serveOperator)
	mux.HandleFunc("GET /mesos_dns/v1/hosts/master.mesos", func(w http.ResponseWriter, _ *http.Request) {
		respond(w, http.StatusOK, []object{{"host": "master.mesos.", "ip": leaderIP}})
	})
	mux.HandleFunc("GET /net/v1/nodes", c.serveNodes)
	mux.HandleFunc("GET /slave/{agent}/state.json", c.serveAgentState)
	mux.HandleFunc("GET /slave/{agent}/state", c.serveAgentState)
}

// serveNodes tells addresses; before DC/OS 2.0 no outside ones.
func (c *Cluster) serveNodes(w http.ResponseWriter, _ *http.Request) {
	list := []object{}
	for _, a := range c.agents() {
		node := object{"updated": stamp(), "private_ip": a.hostname, "hostname": a.hostname, "public_ips": []string{}}
		if a.public && !c.options.HidePublicIP && !c.before(2, 0) {
			node["public_ips"] = []string{c.options.Address}
		}
		list = append(list, node)
	}
	respond(w, http.StatusOK, list)
}

// state is what the master knows; the summary leaves the tasks out.
func (c *Cluster) state(whole bool) object {
	c.mu.Lock()
	defer c.mu.Unlock()
	slaves := []object{}
	for _, a := range c.agents() {
		slaves = append(slaves, c.agentJSON(a))
	}
	out := object{"hostname": leaderIP, "cluster": "standin", "slaves": slaves, "frameworks": []object{}}
	if !whole {
		return out
	}
	maps.Copy(out, object{
		"version": "1.9.0", "id": "standin-master", "pid": "master@" + leaderIP + ":5050", "leader": "master@" + leaderIP + ":5050",
		"activated_slaves": len(slaves), "deactivated_slaves": 0, "frameworks": c.frameworks(), "completed_frameworks": []object{}, "orphan_tasks": []object{},
	})
	return out
}

// agentJSON is an agent. A public one reserves all it has for the role slave_public.
func (c *Cluster) agentJSON(a agent) object {
	used := c.used(a.public)
	whole, none := resources(a.total), resources(share{})
	out := object{
		"id": a.id, "hostname": a.hostname, "pid": fmt.Sprintf("slave(1)@%s:%d", a.hostname, agentPort), "port": agentPort,
		"active": true, "version": "1.9.0", "registered_time": 1.0, "attributes": object{}, "resources": whole, "used_resources": resources(used),
		"offered_resources": none, "reserved_resources": object{}, "unreserved_resources": whole,
		"domain":       object{"fault_domain": object{"region": object{"name": faultDomainStand}, "zone": object{"name": faultDomainStand}}},
		"TASK_STAGING": 0, "TASK_RUNNING": c.runningOn(a.public), "TASK_FINISHED": 0, "TASK_KILLED": 0, "TASK_FAILED": 0, "TASK_LOST": 0,
	}
	if a.public {
		out["attributes"] = object{"public_ip": "true"}
		out["reserved_resources"], out["unreserved_resources"] = object{"slave_public": whole}, none
	}
	return out
}

func resources(s share) object {
	return object{"cpus": s.cpus, "mem": s.mem, "disk": 100000, "gpus": 0, "ports": minimumOfPorts}
}

func (c *Cluster) runningOn(public bool) int {
	n := 0
	for _, a := range c.apps {
		if a.onPublic() == public && a.isRunning() {
			n++
		}
	}
	return n
}

// frameworks are Marathon and, while it runs, Kafka's scheduler with its broker.
func (c *Cluster) frameworks() []object {
	marathon := framework(marathonID, "marathon")
	tasks, completed := []object{}, []object{}
	for _, id := range slices.Sorted(maps.Keys(c.apps)) {
		for _, t := range c.apps[id].tasks {
			tasks = append(tasks, c.taskJSON(c.apps[id], t))
		}
	}
	for _, t := range c.completed {
		completed = append(completed, c.taskJSON(&app{id: t.app}, t))
	}
	marathon["tasks"], marathon["completed_tasks"] = tasks, completed
	list := []object{marathon}
	if broker := c.broker(); broker != nil {
		kafka := framework(kafkaFramework, "kafka")
		kafka["tasks"] = []object{broker}
		list = append(list, kafka)
	}
	return list
}

func framework(id, name string) object {
	return object{
		"id": id, "name": name, "active": true, "connected": true, "recovered": false, "user": "root", "hostname": leaderIP,
		"resources": resources(share{}), "used_resources": resources(share{}), "tasks": []object{}, "completed_tasks": []object{},
		"registered_time": 1.0, "capabilities": []string{}, "webui_url": "",
	}
}

// broker is Kafka's broker as a task, nil while there is none.
func (c *Cluster) broker() object {
	a := c.apps["/kafka"]
	if a == nil || !a.isRunning() {
		return nil
	}
	state := sandbox.Running
	if !a.pkg.brokersUp() {
		state = sandbox.Staging
	}
	return taskObject(kafkaBrokerName+"__0", kafkaBrokerName, kafkaFramework, "standin-S0", state, share{0.5, 1024}, c.options.Address)
}

// taskJSON is a task as the master lists it. Its name is the app's id from the back.
func (c *Cluster) taskJSON(a *app, t *task) object {
	state, _ := t.run.State()
	parts := strings.Split(t.app[1:], "/")
	slices.Reverse(parts)
	agent := "standin-S0"
	if a.onPublic() {
		agent = "standin-S1"
	}
	return taskObject(t.id, strings.Join(parts, "."), marathonID, agent, state, a.need(), c.options.Address)
}

func taskObject(id, name, frameworkID, agentID, state string, need share, address string) object {
	return object{
		"id": id, "name": name, "framework_id": frameworkID, "executor_id": executorOfTask, "slave_id": agentID, "state": state,
		"resources": resources(need), "role": "slave_public",
		"statuses": []object{{
			"state": state, "timestamp": 1.0,
			"container_status": object{
				"container_id":  object{"value": "container-" + id},
				"network_infos": []object{{"ip_addresses": []object{{"ip_address": address}}}},
			},
		}},
	}
}

// serveAgentState is what an older client looks for sandboxes in.
func (c *Cluster) serveAgentState(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	live, ended := []object{}, []object{}
	executor := func(t *task) object {
		return object{
			"id": t.id, "directory": c.sandbox(t.id), "source": t.id, "tasks": []object{{"id": t.id}},
			"completed_tasks": []object{}, "queued_tasks": []object{},
		}
	}
	if r.PathValue("agent") == "standin-S0" {
		for _, a := range c.apps {
			for _, t := range a.tasks {
				live = append(live, executor(t))
			}
		}
		for _, t := range c.completed {
			ended = append(ended, executor(t))
		}
	}
	respond(w, http.StatusOK, object{
		"id": r.PathValue("agent"), "completed_frameworks": []object{},
		"frameworks": []object{{"id": marathonID, "name": "marathon", "executors": live, "completed_executors": ended}},
	})
}
