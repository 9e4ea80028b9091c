package ledger_test

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"fintrans/demo/harness"
	"fintrans/demo/ledger"
	"fintrans/demo/oracle"
)

// published is an alert as a detector publishes it.
const published = `{"source":516,"target":482,"total":10644,"threshold":10000,"window_ms":3600000,"transfers":5,` +
	`"first":"2026-11-25T10:00:00.123Z","last":"2026-11-25T10:05:00.456Z","cities":["London","NYC"],` +
	`"topic":"London","partition":3,"offset":1234,"time":"2026-11-25T10:05:00.456Z"}`

var anAlert = ledger.Alert{
	Alert:   oracle.Alert{Pair: oracle.Pair{Source: 516, Target: 482}, Total: 10_644},
	Trigger: ledger.Trigger{City: "London", Partition: 3, Offset: 1234},
}

func TestAlertsAreRead(t *testing.T) {
	t.Parallel()
	s := harness.NewSystem(t, harness.Embedded, harness.Need{Partitions: harness.NoTopics})
	s.CreateTopics(2, "alerts")
	topics, err := ledger.OpenTopics(t.Context(), s.Kafka.Addrs(), []string{"alerts"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(topics.Close)
	put := func(value string) {
		t.Helper()
		s.Produce(harness.Record{City: "alerts", Partition: 1, Value: []byte(value), Time: time.Now()})
	}
	put(published)
	put(published) // again
	got, err := topics.Alerts(t.Context(), ledger.Position{}, ends(t, topics))
	if want := []ledger.Alert{anAlert, anAlert}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	good := ends(t, topics)
	for i, bad := range []string{"noise", strings.Replace(published, `"offset":1234,`, "", 1)} {
		put(bad)
		if _, err := topics.Alerts(t.Context(), good, ends(t, topics)); err == nil || !strings.Contains(err.Error(), fmt.Sprint("alerts/1 offset ", 2+i)) {
			t.Errorf("%q: %v, want an error that says where it is", bad, err)
		}
	}
}

func TestTopicsGrow(t *testing.T) {
	t.Parallel()
	s, topics := open(t)
	if err := topics.Grow(t.Context(), "SF"); err != nil {
		t.Fatal(err)
	}
	if found := s.EndOffsets("London", "SF"); len(found["London"]) != 2 || len(found["SF"]) != 3 {
		t.Errorf("%v, want a third partition of SF alone", found)
	}
	if err := topics.Grow(t.Context(), "NYC"); err == nil {
		t.Error("a topic that is not there has grown")
	}
}

func TestStoredAlertsAreRead(t *testing.T) {
	t.Parallel()
	s := harness.NewSystem(t, harness.Embedded, harness.Need{Partitions: harness.NoTopics})
	influx := ledger.NewInflux(s.Influx.URL())
	if got, err := influx.Alerts(t.Context()); err != nil || len(got) > 0 {
		t.Errorf("%v, %v without a database, want none", got, err)
	}
	s.Query(`CREATE DATABASE fintrans; CREATE RETENTION POLICY "month" ON fintrans DURATION 30d REPLICATION 1`)
	const point = "alerts,city=London,partition=3 source=516i,target=482i,total=10644i,offset=1234i"
	answer, err := http.Post(s.Influx.URL()+"/write?db=fintrans&rp=month", "text/plain", strings.NewReader(point))
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusNoContent {
		t.Fatalf("write: status %s, %v", answer.Status, err)
	}
	got, err := influx.Alerts(t.Context())
	if want := []ledger.Alert{anAlert}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
}
