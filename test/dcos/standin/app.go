package standin

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"time"

	"github.com/google/uuid"

	"fintrans/test/dcos/definition"
	"fintrans/test/dcos/sandbox"
)

// app is an app of Marathon. Everything in it is guarded by the cluster's mutex.
type app struct {
	id      string
	fields  definition.Fields
	def     definition.App
	version string // of the definition
	config  int    // counts the changes that need other tasks
	tasks   []*task
	pkg     *running // of a catalog package, nil of any other

	deployment *deployment
	removing   bool
	failures   int
	launchAt   time.Time
	lacking    map[string]int // reasons for which offers do not fit; nil while they do
	lastFail   *failure
}

// failure is Marathon's lastTaskFailure.
type failure struct {
	AppID     string `json:"appId"`
	Host      string `json:"host"`
	Message   string `json:"message"`
	State     string `json:"state"`
	TaskID    string `json:"taskId"`
	Timestamp string `json:"timestamp"`
	Version   string `json:"version"`
}

// deployment lasts until the app is as it is wanted.
type deployment struct {
	id      string
	app     string
	version string
	endless bool // a lock
}

// runner is what a task runs as.
type runner interface {
	Done() <-chan struct{}
	State() (state, message string)
	PID() int
	Kill()
	Crash()
}

// task is a task of an app.
type task struct {
	id, app   string
	version   string
	config    int
	ports     []int
	started   time.Time
	run       runner
	killing   bool
	checks    []*checkResult
	endChecks func()
}

func stamp() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }

// change puts a definition in force. A package's app has no definition that could be read.
func (c *Cluster) change(id string, fields definition.Fields, def definition.App) *deployment {
	a := c.apps[id]
	if a == nil {
		a = &app{id: id}
		c.apps[id] = a
	}
	if a.fields == nil || !a.def.SameTask(def) {
		a.config++
	}
	a.failures, a.launchAt = 0, time.Time{}
	a.fields, a.def, a.version = fields, def, stamp()
	return c.deploy(a)
}

// deploy begins a deployment in place of the one before.
func (c *Cluster) deploy(a *app) *deployment {
	if a.deployment != nil {
		delete(c.deployments, a.deployment.id)
	}
	d := &deployment{id: uuid.NewString(), app: a.id, version: a.version}
	a.deployment = d
	c.deployments[d.id] = d
	return d
}

// lock is the deployment that keeps an app from being changed without force, nil if none does.
func (c *Cluster) lock(id string) *deployment {
	for _, locked := range c.misbehave.Locked {
		if locked == id {
			return &deployment{id: "00000000-lock-0000-0000-000000000000", app: id, endless: true}
		}
	}
	if a := c.apps[id]; a != nil && a.deployment != nil {
		return a.deployment
	}
	return nil
}

// newTaskID builds an id as this version of DC/OS does.
func (c *Cluster) newTaskID(appID string) string {
	name := dashed(appID, "_")
	if c.before(1, 13) {
		return name + "." + uuid.NewString()
	}
	return name + ".instance-" + uuid.NewString() + "._app.1"
}

// dashed is the id of an app without its first slash and with something else for the others.
func dashed(appID, slash string) string {
	name := ""
	for _, r := range appID[1:] {
		if r == '/' {
			name += slash
		} else {
			name += string(r)
		}
	}
	return name
}

// before reports whether the DC/OS that is played is older.
func (c *Cluster) before(major, minor int) bool {
	var ownMajor, ownMinor int
	if _, err := fmt.Sscanf(c.options.Version, "%d.%d", &ownMajor, &ownMinor); err != nil {
		return false
	}
	return ownMajor < major || ownMajor == major && ownMinor < minor
}

// launch starts one more task of the app.
func (c *Cluster) launch(a *app) {
	t := &task{
		id: c.newTaskID(a.id), app: a.id, version: a.version, config: a.config,
		started: time.Now(), endChecks: func() {},
	}
	a.tasks = append(a.tasks, t)
	if a.pkg != nil {
		t.run = a.pkg.launch(c.sandbox(t.id), c.misbehave)
		return
	}
	for range a.def.Ports {
		t.ports = append(t.ports, freePort(c.options.Address))
	}
	spec := sandbox.Spec{
		Dir: c.sandbox(t.id), Command: a.def.Cmd, Env: c.environment(a, t),
		Memory: int64(a.def.Mem) << 20, Grace: a.def.Grace(),
	}
	for _, f := range a.def.Fetch {
		spec.Fetch = append(spec.Fetch, sandbox.Fetch{URI: f.URI, Executable: f.Executable, Extract: f.Extract})
	}
	for _, id := range c.misbehave.FailLaunch {
		if id == a.id {
			spec.Command = "echo 'the agent cannot run this' >&2; exit 127"
		}
	}
	t.run = sandbox.Start(spec)
	c.startChecks(a, t)
}

// lostOrEnded notes a task that is no more.
func (c *Cluster) lostOrEnded(a *app, t *task) {
	t.endChecks()
	c.completed = append(c.completed, t)
	if t.killing {
		return
	}
	state, message := t.run.State()
	a.lastFail = &failure{a.id, c.options.Address, message, state, t.id, stamp(), t.version}
	delay := math.Min(a.def.Backoff*math.Pow(a.def.Factor, float64(a.failures)), a.def.LaunchDelay)
	a.failures++
	a.launchAt = time.Now().Add(definition.Seconds(delay))
}

// counts are the numbers of tasks in Marathon's terms.
func (a *app) counts() (staged, running, healthy, unhealthy int) {
	for _, t := range a.tasks {
		state, _ := t.run.State()
		switch state {
		case sandbox.Staging:
			staged++
		case sandbox.Running:
			running++
			switch t.health(a) {
			case healthyNow:
				healthy++
			case unhealthyNow:
				unhealthy++
			}
		}
	}
	return staged, running, healthy, unhealthy
}

// json is the app as Marathon gives it: all fields, its own defaults and more than was sent.
func (a *app) json() object {
	out := object{}
	if a.pkg != nil {
		maps.Copy(out, a.pkg.appFields())
	} else {
		text, err := json.Marshal(a.def)
		if err == nil {
			err = json.Unmarshal(text, &out)
		}
		if err != nil {
			panic(err) // it was decoded from JSON
		}
		checks, _ := out["healthChecks"].([]any) // null where there are none
		for _, check := range checks {
			check.(object)["ipProtocol"] = "IPv4"
			check.(object)["delaySeconds"] = 15
		}
	}
	staged, running, healthy, unhealthy := a.counts()
	deployments := []object{}
	if a.deployment != nil {
		deployments = append(deployments, object{"id": a.deployment.id})
	}
	maps.Copy(out, object{
		"id": a.id, "version": a.version, "tasksStaged": staged, "tasksRunning": running,
		"tasksHealthy": healthy, "tasksUnhealthy": unhealthy, "deployments": deployments,
		"args": nil, "user": nil, "constraints": []string{}, "dependencies": []string{},
	})
	if a.lastFail != nil {
		out["lastTaskFailure"] = a.lastFail
	}
	return out
}
