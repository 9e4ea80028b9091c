// Package fakegrafana is a stand-in for Grafana's HTTP API, as far as provisioning needs it: health, data sources
// and dashboards as versions 5.1, 9 and 12 document them. It can be made to fail by the fault of its front.
package fakegrafana

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"fintrans/demo/embedded"
)

// Server is a Grafana of some version. It is safe for concurrent use.
type Server struct {
	*embedded.Front
	version        string
	major          int
	user, password string

	mu         sync.Mutex
	next       int // id
	sources    []*Source
	dashboards []*Dashboard
	meddle     func(uid string) // before a dashboard is saved
}

// Source is a data source as the API shows and takes it.
type Source struct {
	ID             int               `json:"id"`
	UID            string            `json:"uid,omitempty"`
	OrgID          int               `json:"orgId"`
	Name           string            `json:"name"`
	Type           string            `json:"type"`
	Access         string            `json:"access"`
	URL            string            `json:"url"`
	Database       string            `json:"database"`
	User           string            `json:"user"`
	Password       string            `json:"password"`
	BasicAuth      bool              `json:"basicAuth"`
	IsDefault      bool              `json:"isDefault"`
	JSONData       map[string]any    `json:"jsonData"`
	SecureJSONData map[string]string `json:"secureJsonData,omitempty"`
	ReadOnly       bool              `json:"readOnly"`
}

// Dashboard is a saved dashboard.
type Dashboard struct {
	UID, Title  string
	Version     int
	FolderID    int
	FolderUID   string
	Provisioned bool
	Model       map[string]any // as it was saved
}

// Start starts a stand-in of the version, such as 5.1.0, with an administrator. The caller closes it.
func Start(version, user, password string) (*Server, error) {
	major, err := strconv.Atoi(strings.SplitN(version, ".", 2)[0])
	if err != nil {
		return nil, err
	}
	s := &Server{version: version, major: major, user: user, password: password, next: 1}
	s.Front, err = embedded.StartFront(0, s.routes())
	return s, err
}

// Add puts a data source there.
func (s *Server) Add(source Source) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(&source)
}

// AddDashboard puts a dashboard there.
func (s *Server) AddDashboard(d Dashboard) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dashboards = append(s.dashboards, &d)
}

// Meddle lets somebody else do something each time just before a dashboard is saved.
func (s *Server) Meddle(do func(uid string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.meddle = do
}

// Save is what somebody else does to a dashboard: a new version of it.
func (s *Server) Save(uid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.dashboard(uid); d != nil {
		d.Version++
	}
}

// Sources returns the data sources.
func (s *Server) Sources() []Source {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []Source
	for _, source := range s.sources {
		found = append(found, *source)
	}
	return found
}

// Dashboards returns the dashboards by uid.
func (s *Server) Dashboards() map[string]Dashboard {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := map[string]Dashboard{}
	for _, d := range s.dashboards {
		found[d.UID] = *d
	}
	return found
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/health", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"commit": "844bdc53a", "database": "ok", "version": s.version})
	})
	for pattern, handle := range map[string]http.HandlerFunc{
		"GET /api/datasources/name/{name}": s.getSource,
		"POST /api/datasources":            s.postSource,
		"PUT /api/datasources/{id}":        s.putSource,
		"GET /api/dashboards/uid/{uid}":    s.getDashboard,
		"POST /api/dashboards/db":          s.postDashboard,
	} {
		mux.HandleFunc(pattern, s.signedIn(handle))
	}
	if s.major >= 9 {
		mux.HandleFunc("PUT /api/datasources/uid/{uid}", s.signedIn(s.putSource))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { complain(w, http.StatusNotFound, "Not found", "") })
	return mux
}

func (s *Server) signedIn(handle http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		user, password, ok := r.BasicAuth()
		if !ok || user != s.user || password != s.password {
			complain(w, http.StatusUnauthorized, "Invalid username or password", "")
			return
		}
		handle(w, r)
	}
}

func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // the client went away
}

func complain(w http.ResponseWriter, status int, message, code string) {
	body := map[string]any{"message": message}
	if code != "" {
		body["status"] = code
	}
	answer(w, status, body)
}

// read reads a JSON body, and complains as Grafana does where it is none.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	text, err := io.ReadAll(io.LimitReader(r.Body, 4<<20))
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil || r.Header.Get("Content-Type") != "application/json" {
		complain(w, http.StatusBadRequest, "bad request data", "")
		return false
	}
	return true
}
