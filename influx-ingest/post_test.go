package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fintrans/internal/service"
)

func newTestPoster(t *testing.T, handler http.HandlerFunc) (*poster, *httptest.Server) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	p, err := newPoster(config{
		InfluxAPI: service.URL(server.URL + "/influx"), InfluxTargetDB: "a b&c",
		InfluxUser: "bob", InfluxPassword: service.NewSecret("hunter2"),
	}, hourPolicy, 4)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	return p, server
}

func TestPostSaysWhereThePointsGo(t *testing.T) {
	t.Parallel()
	p, _ := newTestPoster(t, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		user, password, _ := r.BasicAuth()
		body, _ := io.ReadAll(r.Body)
		switch {
		case r.Method != http.MethodPost, r.URL.Path != "/influx/write",
			q.Get("db") != "a b&c", q.Get("rp") != "hour", q.Get("precision") != "ns":
			t.Errorf("got %s %s", r.Method, r.URL)
		case user != "bob", password != "hunter2", strings.Contains(r.URL.String(), "hunter2"):
			t.Errorf("got user %q, password %q at %s", user, password, r.URL)
		case string(body) != "lines\n", r.ContentLength != 6:
			t.Errorf("got body %q of %d bytes", body, r.ContentLength)
		}
		w.WriteHeader(http.StatusNoContent)
	})
	if v := p.post(t.Context(), []byte("lines\n")); v.kind != accepted {
		t.Errorf("got %v: %v", v.kind, v)
	}
	pieces := [][]byte{[]byte("l"), nil, []byte("ine"), []byte("s\n")}
	for range 2 { // they are still there for another attempt
		if v := p.post(t.Context(), pieces...); v.kind != accepted {
			t.Errorf("in pieces: got %v: %v", v.kind, v)
		}
	}
}

func TestPostKeepsItsConnections(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	p, _ := newTestPoster(t, func(w http.ResponseWriter, r *http.Request) {
		seen[r.RemoteAddr] = true
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":"partial write: points beyond retention policy dropped=1"}`)
	})
	for range 20 {
		if v := p.post(t.Context(), []byte("x")); v.kind != partial || v.dropped != 1 {
			t.Fatalf("got %v: %v", v.kind, v)
		}
	}
	if len(seen) != 1 {
		t.Errorf("got %d connections for 20 writes", len(seen))
	}
}

func TestPostWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		handle func(w http.ResponseWriter, r *http.Request)
		want   kind
		reason string
	}{
		{"hangs", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, unavailable, "no answer within"},
		{"cuts the connection", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, unavailable, "EOF"},
		{"cuts its answer", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"error":"unable to parse`)
			panic(http.ErrAbortHandler)
		}, unavailable, "EOF"},
		{"answers without end", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
			for {
				if _, err := io.WriteString(w, strings.Repeat("x", 4096)); err != nil {
					return
				}
			}
		}, unavailable, "xxx"},
		{"redirects", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, unexpected, "status 307"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, _ := newTestPoster(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				tt.handle(w, r)
			})
			if tt.name == "hangs" { // the others answer, however slow this machine is
				p.timeout = 300 * time.Millisecond
			}
			v := p.post(t.Context(), []byte("lines\n"))
			if v.kind != tt.want || !strings.Contains(v.String(), tt.reason) {
				t.Errorf("got %v: %q, want %v: %q", v.kind, v, tt.want, tt.reason)
			}
			if strings.Contains(v.String(), "hunter2") {
				t.Errorf("the password is in %q", v)
			}
		})
	}
}

func TestPostWithoutAServer(t *testing.T) {
	t.Parallel()
	p, server := newTestPoster(t, func(http.ResponseWriter, *http.Request) {})
	server.Close()
	v := p.post(t.Context(), []byte("lines\n"))
	if v.kind != unavailable || !strings.Contains(v.String(), "refused") || strings.Contains(v.String(), "/write") {
		t.Errorf("got %v: %q", v.kind, v)
	}
}

// TestPostLetsGoOfTheLines: what it was given is used again when it returns.
func TestPostLetsGoOfTheLines(t *testing.T) {
	t.Parallel()
	p, _ := newTestPoster(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable) // without reading what is being sent
	})
	lines := []byte(strings.Repeat("x", 8<<20))
	for range 5 {
		if v := p.post(t.Context(), lines); v.kind != unavailable {
			t.Fatalf("got %v: %v", v.kind, v)
		}
		for i := range lines {
			lines[i]++ // the race detector tells
		}
	}
}

func TestPostEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	p, _ := newTestPoster(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		cancel()
		<-r.Context().Done()
	})
	p.timeout = time.Minute
	if v := p.post(ctx, []byte("x")); v.kind != unavailable {
		t.Errorf("got %v", v)
	}
}
