package fakegrafana_test

import (
	"net"
	"net/http"
	"testing"

	"fintrans/demo/embedded"
	"fintrans/demo/fakegrafana"
)

const html = "<!DOCTYPE html>\n<html><body>Sign in</body></html>"

func TestProvisionRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		version string
		prepare func(*fakegrafana.Server)
		options []string
		status  int
		words   string
	}{
		{"too old", "4.6.3", nil, nil, 5, "version 4.6.3: the dashboards need 5.0 or later"},
		{"wrong user", "9.5.21", nil, []string{"--grafana-user", "nobody"}, 4, "refuses user 'nobody' or the password (Invalid username or password)"},
		{"read-only data source", "12.4.2", func(s *fakegrafana.Server) {
			s.Add(fakegrafana.Source{Name: "fintrans", Type: "influxdb", ReadOnly: true})
		}, nil, 6, "is read-only: a file provisions it"},
		{"read-only data source, dry run", "12.4.2", func(s *fakegrafana.Server) {
			s.Add(fakegrafana.Source{Name: "fintrans", Type: "influxdb", ReadOnly: true})
		}, []string{"--dry-run"}, 6, "is read-only: a file provisions it"},
		{"another kind of data source", "12.4.2", func(s *fakegrafana.Server) {
			s.Add(fakegrafana.Source{Name: "fintrans", Type: "graphite"})
		}, nil, 1, "of type 'graphite': give that one another name"},
		{"uid is taken", "12.4.2", func(s *fakegrafana.Server) {
			s.Add(fakegrafana.Source{Name: "other", UID: "fintrans", Type: "influxdb"})
		}, nil, 1, "another data source with the uid 'fintrans'"},
		{"title is taken", "9.5.21", func(s *fakegrafana.Server) {
			s.AddDashboard(fakegrafana.Dashboard{UID: "mine", Title: "Fintrans", Version: 1})
		}, nil, 1, "a dashboard 'Fintrans' of its own"},
		{"provisioned dashboard", "9.5.21", func(s *fakegrafana.Server) {
			s.AddDashboard(fakegrafana.Dashboard{UID: "fintrans", Title: "Fintrans", Version: 1, Provisioned: true})
		}, nil, 1, "provisioned by a file"},
		{"no rights", "12.4.2", fail("/api/datasources/name/fintrans", http.StatusForbidden, `{"message":"Permission denied"}`), nil, 4, "has to be an administrator"},
		{"read-only by its answer", "12.4.2", fail("/api/datasources", http.StatusForbidden, `{"message":"Cannot update read-only data source"}`), nil, 6, "is read-only"},
		{"400", "12.4.2", fail("/api/dashboards/db", http.StatusBadRequest, `{"message":"bad request data"}`), nil, 1, "status 400: bad request data"},
		{"404", "12.4.2", fail("/api/dashboards/db", http.StatusNotFound, `{"message":"Not found"}`), nil, 1, "status 404: Not found"},
		{"409", "12.4.2", fail("/api/dashboards/db", http.StatusConflict, `{"message":"conflict"}`), nil, 1, "status 409: conflict"},
		{"412 of a plug-in", "12.4.2", fail("/api/dashboards/db", http.StatusPreconditionFailed, `{"status":"plugin-dashboard","message":"belongs to plugin x"}`), nil, 1, "belongs to plugin x"},
		{"500", "12.4.2", fail("/api/datasources", http.StatusInternalServerError, `{"message":"Failed to add datasource"}`), nil, 1, "status 500: Failed to add datasource"},
		{"HTML instead of health", "12.4.2", fail("/api/health", http.StatusOK, html), nil, 7, "something else than JSON"},
		{"HTML instead of an answer", "12.4.2", fail("/api/datasources/name/fintrans", http.StatusOK, html), nil, 7, "something else than JSON"},
		{"HTML with 404", "12.4.2", fail("/api/datasources/name/fintrans", http.StatusNotFound, html), nil, 7, "something else than JSON"},
		{"no version", "12.4.2", fail("/api/health", http.StatusOK, `{"database":"ok"}`), nil, 7, "does not tell the version"},
		{"strange version", "12.4.2", fail("/api/health", http.StatusOK, `{"version":"main"}`), nil, 7, "version 'main'"},
		{"no Grafana", "12.4.2", fail("/api/health", http.StatusNotFound, "404 page not found"), nil, 7, "answers with status 404"},
		{"a proxy asks for a password", "12.4.2", fail("/api/health", http.StatusUnauthorized, html), nil, 4, "refuses access (status 401)"},
		{"redirect", "12.4.2", fail("/api/datasources/name/fintrans", http.StatusFound, ""), nil, 7, "redirects elsewhere"},
		{"not ready", "12.4.2", fail("/api/health", http.StatusServiceUnavailable, html), nil, 3, "is not ready: /api/health answers with status 503"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, c.version)
			if c.prepare != nil {
				c.prepare(s)
			}
			before := s.Dashboards()["mine"].Version
			provision(t, s.URL(), passwords()[:1], c.options...).ends(t, c.status, c.words)
			if got := s.Dashboards()["mine"].Version; got != before {
				t.Errorf("the user's own dashboard was saved: version %d, was %d", got, before)
			}
		})
	}
}

func fail(path string, status int, body string) func(*fakegrafana.Server) {
	return func(s *fakegrafana.Server) { s.Fail(embedded.Fault{Path: path, Status: status, Body: body}) }
}

func TestProvisionWaits(t *testing.T) {
	t.Parallel()
	s := start(t, "12.4.2")
	s.Fail(embedded.Fault{Path: "/api/health", Status: http.StatusServiceUnavailable})
	done := make(chan outcome)
	go func() { done <- provision(t, s.URL(), passwords()[:1], "--wait", "100") }()
	for s.Failed() == 0 { // it has asked once in vain
		select {
		case o := <-done:
			t.Fatalf("it did not wait: %+v", o)
		case <-t.Context().Done():
			return
		default:
		}
	}
	s.Fail(embedded.Fault{})
	(<-done).succeeds(t, "waiting up to 100 s")
}

func TestProvisionUnreachable(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	provision(t, address, nil).ends(t, 3, "cannot be reached")
}

// TestProvisionHang takes the 10 s that health has, and the 15 s of every other request.
func TestProvisionHang(t *testing.T) {
	t.Parallel()
	for path, words := range map[string]string{"/api/health": "does not answer: (28)", "/api/datasources/name/fintrans": "does not answer GET /api/datasources"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			s := start(t, "12.4.2")
			s.Fail(embedded.Fault{Path: path, Hang: true})
			provision(t, s.URL(), passwords()[:1]).ends(t, 3, words)
		})
	}
}

func TestProvisionUsage(t *testing.T) {
	t.Parallel()
	for options, words := range map[[2]string]string{
		{"--nonsense", ""}:                          "'--nonsense' is not an option",
		{"--wait", "soon"}:                          "--wait 'soon' is not a number of seconds",
		{"--grafana", "localhost:3000"}:             "'localhost:3000' is not an address",
		{"--grafana", "http://admin:pw@host:3000"}:  "user and password do not belong into the address",
		{"--influx", "http://host:8086/?u=x&p=pw"}:  "a query or a fragment does not belong into the address",
		{"--influx", "http://host:8086#pw"}:         "a query or a fragment does not belong into the address",
		{"--influx", ""}:                            "--influx is missing",
		{"--grafana-user", "a:b"}:                   "'a:b' is not the name of a user",
		{"--grafana-password-file", "/nonexistent"}: "the file '/nonexistent' cannot be read",
		{"--influx-password-file", "/dev/null"}:     "the file '/dev/null' is empty",
		{"--influx-database", ""}:                   "--influx-database is empty",
	} {
		provision(t, "http://127.0.0.1:1", nil, options[0], options[1]).ends(t, 2, words)
	}
	provision(t, "http://127.0.0.1:1", nil, "--help").succeeds(t, "usage: provision.sh", "exit status: 0 done")
}
