package dashboards_test

import (
	"testing"

	"fintrans/demo/cases"
	"fintrans/demo/dashboards"
	"fintrans/demo/embedded"
	"fintrans/demo/harness"
)

// TestReadOnlyUser makes the user of the README on the embedded InfluxDB.
func TestReadOnlyUser(t *testing.T) {
	t.Parallel()
	cases.GrafanaCanOnlyRead(t, func(t testing.TB, _ harness.Need) harness.Servers {
		influx, err := embedded.StartInflux(embedded.InfluxOptions{Users: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = influx.Close() })
		return harness.Servers{Influx: harness.AsUser(influx, "admin", "of-the-tests")}
	})
}

func load(t *testing.T, kind dashboards.Kind) []dashboards.Dashboard {
	t.Helper()
	all, err := dashboards.Load(kind)
	if err != nil {
		t.Fatal(err)
	}
	return all
}
