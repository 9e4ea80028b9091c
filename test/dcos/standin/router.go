package standin

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
)

// open paths need no token.
var openPaths = []string{"/dcos-metadata/", "/acs/api/v1/auth/", "/standin/"}

// router is the admin router: who may, what goes wrong, and who answers.
func (c *Cluster) router() http.Handler {
	mux := http.NewServeMux()
	c.routeAccess(mux)
	c.routeMarathon(mux)
	c.routeCosmos(mux)
	c.routeMesos(mux)
	c.routeLogs(mux)
	c.routeControl(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		c.requests = append(c.requests, r.Method+" "+r.URL.RequestURI())
		c.mu.Unlock()
		if !strings.HasPrefix(r.URL.Path, "/standin/") {
			if f := c.fault(r); f != nil {
				f.answer(w, r)
				return
			}
			if !c.allowed(r) {
				w.Header().Set("WWW-Authenticate", "acsjwt")
				http.Error(w, "401 Authorization Required", http.StatusUnauthorized)
				return
			}
		}
		mux.ServeHTTP(w, r)
	})
}

func (c *Cluster) allowed(r *http.Request) bool {
	if r.URL.Path == "/" || c.options.Token == "" {
		return true
	}
	for _, path := range openPaths {
		if strings.HasPrefix(r.URL.Path, path) {
			return true
		}
	}
	return r.Header.Get("Authorization") == "token="+c.options.Token
}

// routeAccess answers what a client asks while it attaches itself.
func (c *Cluster) routeAccess(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.HandleFunc("GET /pkgpanda/active.buildinfo.full.json", func(w http.ResponseWriter, _ *http.Request) {
		respond(w, http.StatusOK, object{})
	})
	mux.HandleFunc("GET /acs/api/v1/auth/providers", func(w http.ResponseWriter, _ *http.Request) {
		respond(w, http.StatusOK, object{"dcos-users": object{
			"authentication-type": "dcos-uid-password", "client-method": "dcos-usercredential-post-receive-authtoken",
			"description": "Default", "config": object{"start_flow_url": "/acs/api/v1/auth/login"},
		}})
	})
	mux.HandleFunc("POST /acs/api/v1/auth/login", func(w http.ResponseWriter, r *http.Request) {
		var login struct{ UID, Password string }
		if err := json.NewDecoder(r.Body).Decode(&login); err != nil || login.UID != "admin" || login.Password != c.options.Password {
			respond(w, http.StatusUnauthorized, object{"title": "Bad credentials", "description": "The username or password is wrong"})
			return
		}
		respond(w, http.StatusOK, object{"token": c.options.Token})
	})
	mux.HandleFunc("GET /metadata", func(w http.ResponseWriter, _ *http.Request) {
		respond(w, http.StatusOK, object{"PUBLIC_IPV4": "127.0.0.1", "CLUSTER_ID": c.id})
	})
	mux.HandleFunc("GET /dcos-metadata/dcos-version.json", func(w http.ResponseWriter, _ *http.Request) {
		respond(w, http.StatusOK, object{
			"version": c.options.Version, "dcos-variant": "open", "dcos-image-commit": "standin", "bootstrap-id": "standin",
		})
	})
	mux.HandleFunc("GET /dcos-metadata/ui-config.json", func(w http.ResponseWriter, _ *http.Request) {
		respond(w, http.StatusOK, object{"uiConfiguration": object{"plugins": object{"mesos": object{"logging-strategy": "logrotate"}}}})
	})
	mux.HandleFunc("GET /plugin/dcos-core-cli.zip", func(w http.ResponseWriter, r *http.Request) {
		if _, err := os.Stat(c.options.Plugin); err != nil {
			http.NotFound(w, r)
			return
		}
		http.ServeFile(w, r, c.options.Plugin)
	})
}

// routeControl is for the tests.
func (c *Cluster) routeControl(mux *http.ServeMux) {
	mux.HandleFunc("PUT /standin/misbehave", func(w http.ResponseWriter, r *http.Request) {
		var wanted Misbehaviour
		decoder := json.NewDecoder(r.Body)
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&wanted); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.misbehave = wanted
		respond(w, http.StatusOK, object{})
	})
	mux.HandleFunc("GET /standin/report", func(w http.ResponseWriter, _ *http.Request) {
		respond(w, http.StatusOK, c.report())
	})
}

// object is a JSON object.
type object = map[string]any

// respond answers with JSON.
func respond(w http.ResponseWriter, status int, body any) {
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that has gone needs no answer
}
