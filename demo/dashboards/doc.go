// Package dashboards reads the dashboards of grafana/ and asks InfluxDB their questions as Grafana does: variables
// and time range put into the queries, answers made into series and tables, rows into links. The demo's preview
// stands on it, and the tests that compare what each panel shows with what is known.
package dashboards
