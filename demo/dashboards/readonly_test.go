package dashboards_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"fintrans/demo/dashboards"
	"fintrans/demo/embedded"
)

// TestReadOnlyUser makes the user of the README: it can ask everything that the dashboards ask, and nothing else.
func TestReadOnlyUser(t *testing.T) {
	t.Parallel()
	influx, err := embedded.StartInflux(embedded.InfluxOptions{Users: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = influx.Close() })
	send := func(user, path, parameters, body string) (int, string) {
		return post(t, influx.URL()+path+"?"+parameters, user, body)
	}
	for _, statement := range []string{
		`CREATE USER admin WITH PASSWORD 'secret' WITH ALL PRIVILEGES`,
		`CREATE DATABASE fintrans WITH DURATION 1h REPLICATION 1 SHARD DURATION 1h NAME "hour"`,
		`CREATE RETENTION POLICY "month" ON fintrans DURATION 720h REPLICATION 1`,
		`CREATE USER grafana WITH PASSWORD 'secret'`,
		`GRANT READ ON fintrans TO grafana`,
	} {
		if status, text := send("admin", "/query", url.Values{"q": {statement}}.Encode(), ""); status != http.StatusOK || strings.Contains(text, "error") {
			t.Fatalf("%s: status %d %s", statement, status, text)
		}
	}
	point := "transactions,city=London,partition=1 amount=7i,source=1i,target=2i"
	if status, text := send("admin", "/write", "db=fintrans", point); status != http.StatusNoContent {
		t.Fatalf("the administrator's write: status %d %s", status, text)
	}

	asksEverything(t, dashboards.Influx{URL: influx.URL(), Database: "fintrans", User: "grafana", Password: "secret"})
	if status, text := send("grafana", "/write", "db=fintrans", point); status != http.StatusForbidden {
		t.Errorf("its write: status %d %s, want 403", status, text)
	}
	for _, statement := range []string{
		`DROP DATABASE fintrans`, `DROP MEASUREMENT transactions`, `DELETE FROM transactions`, `DROP SERIES FROM transactions`,
		`DROP RETENTION POLICY "hour" ON fintrans`, `CREATE DATABASE other`, `GRANT ALL ON fintrans TO grafana`, `SHOW USERS`,
		`SELECT amount INTO other FROM "hour"."transactions"`,
	} {
		status, text := send("grafana", "/query", url.Values{"q": {statement}, "db": {"fintrans"}}.Encode(), "")
		if status != http.StatusForbidden && !strings.Contains(text, "not authorized") {
			t.Errorf("%s: status %d %s, want a refusal", statement, status, text)
		}
	}
}

// asksEverything runs every query, for both kinds of Grafana.
func asksEverything(t *testing.T, influx dashboards.Influx) {
	t.Helper()
	for _, kind := range []dashboards.Kind{dashboards.Grafana5, dashboards.Current} {
		for _, d := range load(t, kind) {
			view := dashboards.View{Values: dashboards.Values{"city": {"London"}, "step": {"1m"}}, Range: d.Range, Now: time.Now()}
			for _, p := range d.Panels {
				if p.Shape == dashboards.Text {
					continue
				}
				if _, err := d.Lines(t.Context(), influx, p, view); err != nil {
					t.Errorf("Grafana %s: %v", kind, err)
				}
			}
			if _, err := d.Alerts(t.Context(), influx, view); err != nil {
				t.Errorf("Grafana %s: %v", kind, err)
			}
		}
	}
}

func post(t *testing.T, address, user, body string) (status int, text string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth(user, "secret")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var read strings.Builder
	if err := answer.Write(&read); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, read.String()
}

func load(t *testing.T, kind dashboards.Kind) []dashboards.Dashboard {
	t.Helper()
	all, err := dashboards.Load(kind)
	if err != nil {
		t.Fatal(err)
	}
	return all
}
