package cases

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"fintrans/demo/harness"
)

// influxAdmin creates the administrator that the test's own queries come as, and returns the URL without him.
func influxAdmin(t testing.TB, influx harness.Influx) (bare string) {
	t.Helper()
	address, err := url.Parse(influx.URL())
	if err != nil {
		t.Fatal(err)
	}
	password, _ := address.User.Password()
	create := fmt.Sprintf("CREATE USER %s WITH PASSWORD '%s' WITH ALL PRIVILEGES", address.User.Username(), password)
	if status, text := sendInflux(t, influx, "/query", url.Values{"q": {create}}, ""); status != http.StatusOK {
		t.Fatalf("create the administrator: status %d %s", status, text)
	}
	address.User = nil
	return address.String()
}

// InfluxRefusesUser has InfluxDB ask for users. While it knows another password for ours, gives it no right, or has
// taken it back, the ingest says so now and then, commits nothing and shows no secret; when it is right, all is there.
func InfluxRefusesUser(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	api := influxAdmin(t, s.Influx)
	s.Query("CREATE USER ingest WITH PASSWORD 'another'")
	in := s.Start(ingest, merged(quick, harness.Env{"INFLUX_API": api, "INFLUX_USER": "ingest", "INFLUX_PASSWORD": secret}))
	records := recent.transactions()
	half := len(records) / 2
	s.Produce(records[:half]...)

	const denied = "InfluxDB does not let us write: points wait until INFLUX_USER and INFLUX_PASSWORD are right and the user may write"
	in.AwaitLog(denied)
	awaitMetric(t, in, "influx_ingest_retries_total", 12)
	if lines := strings.Count(strings.Join(in.Log(), "\n"), denied); lines > 3 {
		t.Errorf("%v has logged %d times in a few seconds that it may not write", in, lines)
	}
	awaitNotReady(t, in, "influx: InfluxDB takes no writes: status 401: authorization failed")
	if n := sum(s.Committed(ingest)); n != 0 {
		t.Errorf("%d records are committed that InfluxDB has not taken", n)
	}

	s.Query(fmt.Sprintf("SET PASSWORD FOR ingest = '%s'", secret)) // now it is right, and may do nothing
	in.AwaitLog("an administrator has to make it, with the policies hour and month")
	s.Query(`CREATE DATABASE fintrans WITH DURATION 1h REPLICATION 1 SHARD DURATION 1h NAME "hour"`)
	s.Query(`CREATE RETENTION POLICY "month" ON fintrans DURATION 720h REPLICATION 1 SHARD DURATION 24h`)
	s.Query(`GRANT ALL ON fintrans TO ingest`)
	s.AwaitVolumes(volumes(records[:half]))
	in.AwaitReady()

	s.Query(`REVOKE ALL PRIVILEGES ON fintrans FROM ingest`)
	before, _ := in.Metric("influx_ingest_retries_total", nil)
	s.Produce(records[half:]...)
	awaitMetric(t, in, "influx_ingest_retries_total", before+2)
	s.Query(`GRANT WRITE ON fintrans TO ingest`)
	s.AwaitVolumes(volumes(records))
	s.AwaitCommitted(ingest, harness.Cities()...)
	report(t, shown(in, []string{secret}))
	term(t, in)
}
