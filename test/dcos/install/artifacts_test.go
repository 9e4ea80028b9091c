package install_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// artifacts serves a release, and fails on demand.
type artifacts struct {
	url string

	mu     sync.Mutex
	away   string            // to the agents, files whose name begins so are not there
	others map[string]string // files with other contents
}

func serveArtifacts(t testing.TB) *artifacts {
	t.Helper()
	a := &artifacts{others: map[string]string{}}
	files := http.FileServer(http.Dir(need(t, shared.dist)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		name := strings.TrimPrefix(r.URL.Path, "/")
		other, replaced := a.others[name]
		away := a.away != "" && strings.HasPrefix(name, a.away) && !strings.HasPrefix(r.UserAgent(), "curl")
		a.mu.Unlock()
		switch {
		case away:
			http.NotFound(w, r)
		case replaced:
			_, _ = w.Write([]byte(other))
		default:
			files.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	a.url = server.URL
	return a
}

// goAway takes files away from the agents; the installer still sees them.
func (a *artifacts) goAway(prefix string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.away = prefix
}

// replace gives a file other contents.
func (a *artifacts) replace(name, content string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.others[name] = content
}
