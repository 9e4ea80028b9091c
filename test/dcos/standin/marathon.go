package standin

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"fintrans/test/dcos/definition"
	"fintrans/test/dcos/sandbox"
)

const marathonRoot = "/service/marathon/v2/"

// routeMarathon answers what is asked of Marathon. Ids have slashes, so they are cut out by hand.
func (c *Cluster) routeMarathon(mux *http.ServeMux) {
	mux.HandleFunc("GET "+marathonRoot+"info", func(w http.ResponseWriter, _ *http.Request) {
		respond(w, http.StatusOK, object{"name": "marathon", "version": c.marathonVersion(), "elected": true})
	})
	mux.HandleFunc(marathonRoot+"apps", c.serveApps)
	mux.HandleFunc(marathonRoot+"apps/", c.serveApps)
	mux.HandleFunc("GET "+marathonRoot+"groups", c.serveGroup)
	mux.HandleFunc(marathonRoot+"groups/", c.serveGroup)
	mux.HandleFunc("GET "+marathonRoot+"deployments", c.serveDeployments)
	mux.HandleFunc("GET "+marathonRoot+"queue", c.serveQueue)
}

func (c *Cluster) marathonVersion() string {
	if c.before(1, 10) {
		return "1.4.12"
	}
	return "1.10.17"
}

// serveApps answers apps, apps/ID, apps/ID/tasks and apps/ID/restart.
func (c *Cluster) serveApps(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, marathonRoot+"apps")
	id, verb := path, ""
	for _, v := range []string{"/tasks", "/restart"} {
		if cut, ok := strings.CutSuffix(path, v); ok {
			id, verb = cut, v
		}
	}
	id = "/" + strings.Trim(id, "/")
	body, err := io.ReadAll(r.Body)
	if err != nil {
		respond(w, http.StatusBadRequest, object{"message": err.Error()})
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case id == "/" && r.Method == http.MethodGet:
		list := []object{}
		for _, id := range slices.Sorted(maps.Keys(c.apps)) {
			list = append(list, c.apps[id].json())
		}
		respond(w, http.StatusOK, object{"apps": list})
	case id == "/" && r.Method == http.MethodPost:
		c.post(w, body)
	case verb == "" && r.Method == http.MethodPut:
		c.put(w, r, id, body)
	case c.apps[id] == nil:
		respond(w, http.StatusNotFound, object{"message": "App '" + id + "' does not exist"})
	case verb == "/tasks" && r.Method == http.MethodGet:
		respond(w, http.StatusOK, object{"tasks": c.apps[id].tasksJSON(c.options.Address)})
	case verb == "/restart" && r.Method == http.MethodPost:
		c.apps[id].config++
		c.accepted(w, http.StatusOK, c.deploy(c.apps[id]))
	case verb == "" && r.Method == http.MethodGet:
		respond(w, http.StatusOK, object{"app": c.apps[id].json()})
	case verb == "" && r.Method == http.MethodDelete:
		c.remove(w, r, id)
	default:
		respond(w, http.StatusMethodNotAllowed, object{"message": r.Method + " is not answered by the stand-in here"})
	}
}

func (c *Cluster) accepted(w http.ResponseWriter, status int, d *deployment) {
	respond(w, status, object{"version": d.version, "deploymentId": d.id})
}

// refuse answers as Marathon does to a definition that it does not take.
func refuse(w http.ResponseWriter, err error) {
	var invalid definition.Invalid
	if !errors.As(err, &invalid) {
		respond(w, http.StatusBadRequest, object{"message": "Invalid JSON", "details": err.Error()})
		return
	}
	details := []object{}
	for _, v := range invalid {
		details = append(details, object{"path": v.Path, "errors": []string{v.Message}})
	}
	respond(w, http.StatusUnprocessableEntity, object{"message": "Object is not valid", "details": details})
}

// assignPorts gives service ports to those that leave them open.
func (c *Cluster) assignPorts(def *definition.App) {
	for i := range def.Ports {
		if def.Ports[i].Port == 0 {
			def.Ports[i].Port = c.nextPort
			c.nextPort++
		}
	}
}

// keepPorts takes over the service ports that were given before.
func (c *Cluster) keepPorts(def *definition.App, before *app) {
	if before != nil && len(before.def.Ports) == len(def.Ports) {
		for i := range def.Ports {
			if def.Ports[i].Port == 0 {
				def.Ports[i].Port = before.def.Ports[i].Port
			}
		}
	}
	c.assignPorts(def)
}

func (c *Cluster) post(w http.ResponseWriter, body []byte) {
	fields, err := definition.ParseFields(body)
	var def definition.App
	if err == nil {
		def, err = definition.Parse(fields)
	}
	if err != nil {
		refuse(w, err)
		return
	}
	if c.apps[def.ID] != nil {
		respond(w, http.StatusConflict, object{"message": "An app with id [" + def.ID + "] already exists."})
		return
	}
	c.assignPorts(&def)
	c.change(def.ID, fields, def)
	respond(w, http.StatusCreated, c.apps[def.ID].json())
}

func (c *Cluster) put(w http.ResponseWriter, r *http.Request, id string, body []byte) {
	fields, err := definition.ParseFields(body)
	if err != nil {
		refuse(w, err)
		return
	}
	status, before := http.StatusCreated, c.apps[id]
	if before != nil {
		status = http.StatusOK
		if before.pkg != nil {
			respond(w, http.StatusForbidden, object{"message": "the stand-in does not change a package's app"})
			return
		}
		if r.URL.Query().Get("partialUpdate") != "false" {
			fields = fields.Over(before.fields)
		}
	}
	fields["id"] = []byte(`"` + id + `"`)
	def, err := definition.Parse(fields)
	if err != nil {
		refuse(w, err)
		return
	}
	if lock := c.lock(id); lock != nil && r.URL.Query().Get("force") != "true" {
		c.locked(w, lock)
		return
	}
	c.keepPorts(&def, before)
	c.accepted(w, status, c.change(id, fields, def))
}

func (c *Cluster) locked(w http.ResponseWriter, d *deployment) {
	respond(w, http.StatusConflict, object{
		"message":     "App is locked by one or more deployments. Override with the option '?force=true'. View details at '/v2/deployments/<DEPLOYMENT_ID>'.",
		"deployments": []object{{"id": d.id}},
	})
}

func (c *Cluster) remove(w http.ResponseWriter, r *http.Request, id string) {
	if lock := c.lock(id); lock != nil && r.URL.Query().Get("force") != "true" {
		c.locked(w, lock)
		return
	}
	a := c.apps[id]
	a.removing = true
	c.accepted(w, http.StatusOK, c.deploy(a))
}

// tasksJSON are the tasks as Marathon lists them.
func (a *app) tasksJSON(host string) []object {
	list := []object{}
	for _, t := range a.tasks {
		state, _ := t.run.State()
		results := []object{}
		for _, result := range t.checks {
			results = append(results, object{"alive": result.alive, "consecutiveFailures": result.failures, "lastFailureCause": result.last, "taskId": t.id})
		}
		list = append(list, object{
			"id": t.id, "appId": a.id, "host": host, "ports": t.ports, "state": state, "version": t.version,
			"startedAt": t.started.UTC().Format(time.RFC3339), "healthCheckResults": results,
		})
	}
	return list
}

// serveGroup lists or removes a group: the apps whose ids begin with its own.
func (c *Cluster) serveGroup(w http.ResponseWriter, r *http.Request) {
	id := "/" + strings.Trim(strings.TrimPrefix(r.URL.Path, marathonRoot+"groups"), "/")
	c.mu.Lock()
	defer c.mu.Unlock()
	var members []*app
	for _, name := range slices.Sorted(maps.Keys(c.apps)) {
		if id == "/" || strings.HasPrefix(name, id+"/") {
			members = append(members, c.apps[name])
		}
	}
	switch {
	case len(members) == 0 && id != "/":
		respond(w, http.StatusNotFound, object{"message": "Group '" + id + "' does not exist"})
	case r.Method == http.MethodGet:
		list := []object{}
		for _, a := range members {
			list = append(list, a.json())
		}
		respond(w, http.StatusOK, object{"id": id, "apps": list, "groups": []object{}, "dependencies": []string{}, "version": stamp()})
	case r.Method == http.MethodDelete && id != "/":
		last := &deployment{version: stamp()}
		for _, a := range members {
			if lock := c.lock(a.id); lock != nil && r.URL.Query().Get("force") != "true" {
				c.locked(w, lock)
				return
			}
		}
		for _, a := range members {
			a.removing = true
			last = c.deploy(a)
		}
		c.accepted(w, http.StatusOK, last)
	default:
		respond(w, http.StatusMethodNotAllowed, object{"message": r.Method + " is not answered by the stand-in here"})
	}
}

func (c *Cluster) serveDeployments(w http.ResponseWriter, _ *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := []object{}
	for _, id := range slices.Sorted(maps.Keys(c.deployments)) {
		d := c.deployments[id]
		list = append(list, object{"id": d.id, "version": d.version, "affectedApps": []string{d.app}, "currentStep": 1, "totalSteps": 1, "currentActions": []object{}})
	}
	respond(w, http.StatusOK, list)
}

// serveQueue lists the apps that wait for an offer or for their backoff.
func (c *Cluster) serveQueue(w http.ResponseWriter, _ *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := []object{}
	for _, id := range slices.Sorted(maps.Keys(c.apps)) {
		a := c.apps[id]
		left := time.Until(a.launchAt)
		if a.lacking == nil && left <= 0 {
			continue
		}
		reasons := []object{}
		for _, reason := range slices.Sorted(maps.Keys(a.lacking)) {
			reasons = append(reasons, object{"reason": reason, "declined": a.lacking[reason], "processed": 1})
		}
		list = append(list, object{
			"app": a.json(), "count": max(0, a.def.Instances-len(a.tasks)),
			"delay":                  object{"overdue": left <= 0, "timeLeftSeconds": max(0, int(left.Seconds()))},
			"processedOffersSummary": object{"processedOffersCount": 1, "unusedOffersCount": 1, "rejectSummaryLastOffers": reasons},
		})
	}
	respond(w, http.StatusOK, object{"queue": list})
}

// isRunning reports whether a task of the app runs.
func (a *app) isRunning() bool {
	for _, t := range a.tasks {
		if state, _ := t.run.State(); state == sandbox.Running {
			return true
		}
	}
	return false
}
