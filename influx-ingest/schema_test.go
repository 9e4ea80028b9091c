package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/influxdata/influxdb1-client/models"
	client "github.com/influxdata/influxdb1-client/v2"
	"github.com/sirupsen/logrus"
	logtest "github.com/sirupsen/logrus/hooks/test"

	"fintrans/internal/service"
)

// shown is an answer to SHOW RETENTION POLICIES.
func shown(rows ...[]any) *client.Response {
	return &client.Response{Results: []client.Result{{Series: []models.Row{{
		Columns: []string{"name", "duration", "shardGroupDuration", "replicaN", "default"}, Values: rows,
	}}}}}
}

func row(name, duration, shard string, standard bool) []any {
	return []any{name, duration, shard, json.Number("1"), standard}
}

const (
	showPolicies = `SHOW RETENTION POLICIES ON "fintrans"`
	createDB     = `CREATE DATABASE "fintrans" WITH DURATION 1h REPLICATION 1 SHARD DURATION 1h NAME "hour"`
	createHour   = `CREATE RETENTION POLICY "hour" ON "fintrans" DURATION 1h REPLICATION 1 SHARD DURATION 1h DEFAULT`
	alterHour    = `ALTER RETENTION POLICY "hour" ON "fintrans" DURATION 1h REPLICATION 1 SHARD DURATION 1h DEFAULT`
	createMonth  = `CREATE RETENTION POLICY "month" ON "fintrans" DURATION 720h REPLICATION 1 SHARD DURATION 24h`
	alterMonth   = `ALTER RETENTION POLICY "month" ON "fintrans" DURATION 720h REPLICATION 1 SHARD DURATION 24h`
)

func TestSchemaMakesWhatDiffers(t *testing.T) {
	t.Parallel()
	hour, month := row("hour", "1h0m0s", "1h0m0s", true), row("month", "720h0m0s", "24h0m0s", false)
	tests := []struct {
		name  string
		there [][]any // nil: no database
		want  []string
	}{
		{"nothing there", nil, []string{showPolicies, createDB, showPolicies, createMonth}},
		{"all there", [][]any{hour, month}, []string{showPolicies}},
		{"all there and more", [][]any{row("autogen", "0s", "168h0m0s", false), hour, month}, []string{showPolicies}},
		{"a database without our policies", [][]any{row("autogen", "0s", "168h0m0s", true)}, []string{showPolicies, createHour, createMonth}},
		{"another duration", [][]any{row("hour", "2h0m0s", "1h0m0s", true), month}, []string{showPolicies, alterHour}},
		{"another shard duration", [][]any{row("hour", "1h0m0s", "24h0m0s", true), month}, []string{showPolicies, alterHour}},
		{"not the default", [][]any{row("hour", "1h0m0s", "1h0m0s", false), month}, []string{showPolicies, alterHour}},
		{"another month", [][]any{hour, row("month", "0s", "24h0m0s", false)}, []string{showPolicies, alterMonth}},
		{"the month as the default is left", [][]any{hour, row("month", "720h0m0s", "24h0m0s", true)}, []string{showPolicies}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := quietSink(nil).schema
			there := tt.there
			influx := &fakeInflux{answer: func(statement string) (*client.Response, error) {
				switch {
				case statement == createDB:
					there = [][]any{hour}
				case statement == showPolicies && there == nil:
					return &client.Response{Err: "database not found: fintrans"}, nil
				case statement == showPolicies:
					return shown(there...), nil
				}
				return &client.Response{}, nil
			}}
			s.client = influx
			if err := s.ensure(t.Context(), 1, func() {}); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(influx.statements, tt.want) {
				t.Errorf("got  %q\nwant %q", influx.statements, tt.want)
			}
			if s.generation() != 2 {
				t.Errorf("got generation %d, want 2", s.generation())
			}
		})
	}
}

func TestSchemaWithoutPermission(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"error authorizing query: bob not authorized to execute statement 'CREATE DATABASE', requires admin privilege",
		"authorization failed",
		"unable to parse authentication credentials",
		"received status code 403 from server",
	} {
		log, lines := logtest.NewNullLogger()
		s := quietSink(nil).schema
		s.log, s.throttle = log, service.NewThrottle(time.Hour)
		s.client = &fakeInflux{answer: func(string) (*client.Response, error) { return nil, errors.New(text) }}
		for seen := range int64(3) {
			if err := s.ensure(t.Context(), seen+1, func() {}); err != nil {
				t.Errorf("%s: got %v, want to go on", text, err)
			}
		}
		if got := lines.AllEntries(); len(got) != 1 || got[0].Level != logrus.WarnLevel || !strings.Contains(got[0].Message, "an administrator has to make it") {
			t.Errorf("%s: got %d log lines, want one warning", text, len(got))
		}
	}
}

func TestSchemaErrorsAreTriedAgain(t *testing.T) {
	t.Parallel()
	s := quietSink(nil).schema
	s.client = &fakeInflux{answer: func(string) (*client.Response, error) { return nil, errors.New("connection refused") }}
	if err := s.ensure(t.Context(), 1, func() {}); err == nil || s.generation() != 1 {
		t.Errorf("got %v and generation %d", err, s.generation())
	}
}

// TestNamesForbidNothing: what is asked for, of whom, and the database's name may contain any word.
func TestNamesForbidNothing(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(nil)
	server.Close()
	away, err := client.NewHTTPClient(client.HTTPConfig{Addr: server.URL + "/authorizer"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = away.Close() }()
	answers := func(text string) client.Client {
		return &fakeInflux{answer: func(string) (*client.Response, error) { return &client.Response{Err: text}, nil }}
	}
	for _, tt := range []struct {
		name   string
		client client.Client
	}{
		{"no answer", away},
		{"trouble of its own", answers("timeout")},
		{"dropped again at once", answers("database not found: authorizations")},
	} {
		log, lines := logtest.NewNullLogger()
		s := quietSink(nil).schema
		s.db, s.api, s.log, s.client = "authorizations", "http://authorizer:8086", log, tt.client
		if err := s.ensure(t.Context(), 1, func() {}); err == nil || s.generation() != 1 {
			t.Errorf("%s: got %v and generation %d, want an error and 1", tt.name, err, s.generation())
		}
		for _, line := range lines.AllEntries() {
			if line.Level <= logrus.WarnLevel {
				t.Errorf("%s: logs %q", tt.name, line.Message)
			}
		}
	}
}

// TestSchemaIsMadeOnceForAll: four writers see the same answer at once.
func TestSchemaIsMadeOnceForAll(t *testing.T) {
	t.Parallel()
	s := quietSink(nil).schema
	influx := &fakeInflux{}
	s.client = influx
	var work sync.WaitGroup
	for range 4 {
		work.Go(func() {
			if err := s.ensure(t.Context(), 1, func() {}); err != nil {
				t.Error(err)
			}
		})
	}
	work.Wait()
	if s.generation() != 2 || len(influx.statements) != 3 {
		t.Errorf("got generation %d after %q", s.generation(), influx.statements)
	}
}

func TestSchemaTalksToTheServer(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		mu.Lock()
		got = append(got, user+":"+password+" "+r.URL.Path+" "+r.URL.Query().Get("q"))
		mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"results":[{"series":[{"columns":["name","duration","shardGroupDuration","replicaN","default"],` +
			`"values":[["hour","1h0m0s","1h0m0s",1,true],["month","720h0m0s","24h0m0s",1,false]]}]}]}`))
	}))
	defer server.Close()
	log, _ := logtest.NewNullLogger()
	s, err := newSchema(config{
		InfluxAPI: service.URL(server.URL), InfluxTargetDB: `a"b`, InfluxUser: "bob", InfluxPassword: service.NewSecret("hunter2"),
	}, log)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if err := s.ensure(t.Context(), 0, func() {}); err != nil {
		t.Fatal(err)
	}
	if want := []string{`bob:hunter2 /query SHOW RETENTION POLICIES ON "a\"b"`}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
