package cases

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"fintrans/demo/dashboards"
	"fintrans/demo/harness"
)

// GrafanaCanOnlyRead makes the user of the README: it can ask everything that the dashboards ask, and nothing else. It
// needs an InfluxDB with users.
func GrafanaCanOnlyRead(t testing.TB, start harness.Starter) {
	influx := start(t, harness.Need{}).Influx
	api := influxAdmin(t, influx)
	for _, statement := range []string{
		`CREATE DATABASE fintrans WITH DURATION 1h REPLICATION 1 SHARD DURATION 1h NAME "hour"`,
		`CREATE RETENTION POLICY "month" ON fintrans DURATION 720h REPLICATION 1`,
		`CREATE USER grafana WITH PASSWORD 'secret'`,
		`GRANT READ ON fintrans TO grafana`,
	} {
		if status, text := sendInflux(t, influx, "/query", url.Values{"q": {statement}}, ""); status != http.StatusOK || strings.Contains(text, "error") {
			t.Fatalf("%s: status %d %s", statement, status, text)
		}
	}
	const point = "transactions,city=London,partition=1 amount=7i,source=1i,target=2i"
	if status, text := sendInflux(t, influx, "/write", url.Values{"db": {"fintrans"}}, point); status != http.StatusNoContent {
		t.Fatalf("the administrator's write: status %d %s", status, text)
	}

	asksEverything(t, dashboards.Influx{URL: api, Database: "fintrans", User: "grafana", Password: "secret"})
	grafana := harness.AsUser(influx, "grafana", "secret")
	if status, text := sendInflux(t, grafana, "/write", url.Values{"db": {"fintrans"}}, point); status != http.StatusForbidden {
		t.Errorf("its write: status %d %s, want 403", status, text)
	}
	for _, statement := range []string{
		`DROP DATABASE fintrans`, `DROP MEASUREMENT transactions`, `DELETE FROM transactions`, `DROP SERIES FROM transactions`,
		`DROP RETENTION POLICY "hour" ON fintrans`, `CREATE DATABASE other`, `GRANT ALL ON fintrans TO grafana`, `SHOW USERS`,
		`SELECT amount INTO other FROM "hour"."transactions"`,
	} {
		status, text := sendInflux(t, grafana, "/query", url.Values{"q": {statement}, "db": {"fintrans"}}, "")
		if status != http.StatusForbidden && !strings.Contains(text, "not authorized") {
			t.Errorf("%s: status %d %s, want a refusal", statement, status, text)
		}
	}
	wrong := harness.AsUser(influx, "grafana", "another")
	if status, text := sendInflux(t, wrong, "/query", url.Values{"q": {"SHOW MEASUREMENTS"}, "db": {"fintrans"}}, ""); status != http.StatusUnauthorized {
		t.Errorf("with another password: status %d %s, want 401", status, text)
	}
}

// asksEverything runs every query, for both kinds of Grafana.
func asksEverything(t testing.TB, influx dashboards.Influx) {
	t.Helper()
	for _, kind := range []dashboards.Kind{dashboards.Grafana5, dashboards.Current} {
		all, err := dashboards.Load(kind)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range all {
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

// sendInflux posts to a page of InfluxDB, as the user in its URL.
func sendInflux(t testing.TB, influx harness.Influx, page string, parameters url.Values, body string) (status int, text string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, influx.URL()+page+"?"+parameters.Encode(), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
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
