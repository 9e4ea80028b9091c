package realinflux

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestDataStaysThroughRestarts(t *testing.T) {
	t.Parallel()
	for name, release := range map[string]Release{"installed": Installed, "newest": Newest} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dataStaysThroughRestarts(t, release)
		})
	}
}

func dataStaysThroughRestarts(t *testing.T, release Release) {
	t.Helper()
	s, err := Start(t.Context(), release)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	post(t, s.URL()+"/query?q="+url.QueryEscape("CREATE DATABASE kept"), "", http.StatusOK)
	for i, end := range []func() error{s.Stop, s.Kill} {
		post(t, s.URL()+"/write?db=kept", fmt.Sprintf("m,run=%d v=1i", i), http.StatusNoContent)
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if err := s.ping(t.Context()); err == nil {
			t.Fatal("it answers although it was ended")
		}
		if err := s.Up(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	got := post(t, s.URL()+"/query?db=kept&q="+url.QueryEscape("SELECT sum(v) FROM m"), "", http.StatusOK)
	if !strings.Contains(got, `,2]`) {
		t.Errorf("sum of two points written before a stop and a kill: %s", got)
	}
}

// post returns the body of the answer, whose status has to be the wanted one.
func post(t *testing.T, address, body string, want int) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != want {
		t.Fatalf("POST %s: status %d, want %d\n%s", address, answer.StatusCode, want, text)
	}
	return string(text)
}
