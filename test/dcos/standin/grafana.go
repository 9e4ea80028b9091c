package standin

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
)

// grafanaVersion is that of the pinned package.
const grafanaVersion = "5.1.0"

// hub answers as Grafana's API does, as far as data sources and dashboards are put there.
type hub struct {
	password string

	mu         sync.Mutex
	sources    map[int]object
	dashboards map[string]object // by uid
	nextID     int
	writes     int
}

// GrafanaContent is what was put there.
type GrafanaContent struct {
	Sources    []string `json:"sources"`    // names
	Dashboards []string `json:"dashboards"` // titles
	Writes     int      `json:"writes"`     // requests that put something
	Password   string   `json:"password"`   // of admin
}

func newHub(password string) *hub {
	return &hub{password: password, sources: map[int]object{}, dashboards: map[string]object{}, nextID: 1}
}

func (h *hub) content() GrafanaContent {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := GrafanaContent{Writes: h.writes, Password: h.password}
	for _, id := range slices.Sorted(maps.Keys(h.sources)) {
		name, _ := h.sources[id]["name"].(string)
		c.Sources = append(c.Sources, name)
	}
	for _, uid := range slices.Sorted(maps.Keys(h.dashboards)) {
		title, _ := h.dashboards[uid]["title"].(string)
		c.Dashboards = append(c.Dashboards, title)
	}
	return c
}

func (h *hub) handler() http.Handler {
	api := http.NewServeMux()
	api.HandleFunc("GET /api/org", func(w http.ResponseWriter, _ *http.Request) {
		respond(w, http.StatusOK, object{"id": 1, "name": "Main Org."})
	})
	api.HandleFunc("GET /api/datasources", h.listSources)
	api.HandleFunc("POST /api/datasources", h.addSource)
	api.HandleFunc("GET /api/datasources/id/{name}", h.sourceID)
	api.HandleFunc("GET /api/datasources/name/{name}", h.sourceByName)
	api.HandleFunc("GET /api/datasources/{id}", h.source)
	api.HandleFunc("PUT /api/datasources/{id}", h.changeSource)
	api.HandleFunc("POST /api/dashboards/db", h.addDashboard)
	api.HandleFunc("GET /api/dashboards/uid/{uid}", h.dashboard)
	api.HandleFunc("GET /api/search", h.search)
	whole := http.NewServeMux()
	whole.HandleFunc("GET /api/health", func(w http.ResponseWriter, _ *http.Request) {
		respond(w, http.StatusOK, object{"commit": "standin", "database": "ok", "version": grafanaVersion})
	})
	whole.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		if user, password, ok := r.BasicAuth(); !ok || user != "admin" || password != h.password {
			respond(w, http.StatusUnauthorized, object{"message": "Invalid username or password"})
			return
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		api.ServeHTTP(w, r)
	})
	whole.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=UTF-8")
		_, _ = w.Write([]byte("<!DOCTYPE html><title>Grafana</title>"))
	})
	return whole
}

func (h *hub) listSources(w http.ResponseWriter, _ *http.Request) {
	list := []object{}
	for _, id := range slices.Sorted(maps.Keys(h.sources)) {
		list = append(list, h.sources[id])
	}
	respond(w, http.StatusOK, list)
}

func (h *hub) named(name string) (int, bool) {
	for id, source := range h.sources {
		if source["name"] == name {
			return id, true
		}
	}
	return 0, false
}

func (h *hub) decode(w http.ResponseWriter, r *http.Request) (object, bool) {
	var body object
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		respond(w, http.StatusBadRequest, object{"message": "bad request data"})
		return nil, false
	}
	h.writes++
	return body, true
}

func (h *hub) addSource(w http.ResponseWriter, r *http.Request) {
	source, ok := h.decode(w, r)
	if !ok {
		return
	}
	name, _ := source["name"].(string)
	if _, there := h.named(name); there {
		respond(w, http.StatusConflict, object{"message": "Data source with same name already exists"})
		return
	}
	id := h.nextID
	h.nextID++
	source["id"] = id
	h.sources[id] = source
	respond(w, http.StatusOK, object{"datasource": source, "id": id, "message": "Datasource added", "name": name})
}

func (h *hub) sourceID(w http.ResponseWriter, r *http.Request) {
	if id, ok := h.named(r.PathValue("name")); ok {
		respond(w, http.StatusOK, object{"id": id})
		return
	}
	respond(w, http.StatusNotFound, object{"message": "Data source not found"})
}

func (h *hub) sourceByName(w http.ResponseWriter, r *http.Request) {
	if id, ok := h.named(r.PathValue("name")); ok {
		respond(w, http.StatusOK, h.sources[id])
		return
	}
	respond(w, http.StatusNotFound, object{"message": "Data source not found"})
}

func (h *hub) source(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if source, ok := h.sources[id]; ok && err == nil {
		respond(w, http.StatusOK, source)
		return
	}
	respond(w, http.StatusNotFound, object{"message": "Data source not found"})
}

func (h *hub) changeSource(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if _, ok := h.sources[id]; !ok || err != nil {
		respond(w, http.StatusNotFound, object{"message": "Data source not found"})
		return
	}
	source, ok := h.decode(w, r)
	if !ok {
		return
	}
	source["id"] = id
	h.sources[id] = source
	respond(w, http.StatusOK, object{"datasource": source, "id": id, "message": "Datasource updated", "name": source["name"]})
}

func (h *hub) addDashboard(w http.ResponseWriter, r *http.Request) {
	body, ok := h.decode(w, r)
	if !ok {
		return
	}
	dashboard, _ := body["dashboard"].(object)
	uid, _ := dashboard["uid"].(string)
	title, _ := dashboard["title"].(string)
	if uid == "" || title == "" {
		respond(w, http.StatusBadRequest, object{"message": "Dashboard title cannot be empty"})
		return
	}
	replaces, _ := dashboard["version"].(float64)
	if before, there := h.dashboards[uid]; there && body["overwrite"] != true && int(replaces) != before["version"] {
		respond(w, http.StatusPreconditionFailed, object{"message": "The dashboard has been changed by someone else", "status": "version-mismatch"})
		return
	}
	id, version := h.nextID, 1
	if before, there := h.dashboards[uid]; there {
		id, version = before["id"].(int), before["version"].(int)+1
	} else {
		h.nextID++
	}
	dashboard["id"], dashboard["version"] = id, version
	h.dashboards[uid] = dashboard
	respond(w, http.StatusOK, object{"id": id, "uid": uid, "url": "/d/" + uid, "status": "success", "version": version, "slug": uid})
}

func (h *hub) dashboard(w http.ResponseWriter, r *http.Request) {
	if dashboard, ok := h.dashboards[r.PathValue("uid")]; ok {
		respond(w, http.StatusOK, object{"dashboard": dashboard, "meta": object{}})
		return
	}
	respond(w, http.StatusNotFound, object{"message": "Dashboard not found"})
}

func (h *hub) search(w http.ResponseWriter, _ *http.Request) {
	list := []object{}
	for _, uid := range slices.Sorted(maps.Keys(h.dashboards)) {
		list = append(list, object{"uid": uid, "title": h.dashboards[uid]["title"], "type": "dash-db"})
	}
	respond(w, http.StatusOK, list)
}
