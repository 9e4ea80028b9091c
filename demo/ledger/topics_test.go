package ledger_test

import (
	"context"
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

// open starts servers with the topics London and SF, of two partitions, and opens both and NYC.
func open(t *testing.T) (*harness.System, *ledger.Topics) {
	t.Helper()
	s := harness.NewSystem(t, harness.Embedded, harness.Need{Partitions: harness.NoTopics})
	s.CreateTopics(2, "London", "SF")
	topics, err := ledger.OpenTopics(t.Context(), s.Kafka.Addrs(), []string{"London", "SF", "NYC"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(topics.Close)
	return s, topics
}

func ends(t *testing.T, topics *ledger.Topics) ledger.Position {
	t.Helper()
	at, err := topics.Ends(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestReadHandsOutWhatWasAppended(t *testing.T) {
	t.Parallel()
	s, topics := open(t)
	now := time.UnixMilli(time.Now().UnixMilli())
	put := func(value string, at time.Time, headers map[string]string) {
		s.Produce(harness.Record{City: "London", Partition: 1, Value: []byte(value), Time: at, Headers: headers})
	}
	put("1 2 3", now, nil)
	start := ends(t, topics)
	if want := (ledger.Position{"London": {0: 0, 1: 1}, "SF": {0: 0, 1: 0}}); !reflect.DeepEqual(start, want) {
		t.Errorf("ends %v, want %v", start, want)
	}
	put("4 5 6", now, map[string]string{"ring": "7", "ring-transfers": "3", "other": "x"})
	put("noise", now, nil)
	put("1 2 3", now.Add(time.Hour), nil)
	put("1 2 3", time.UnixMilli(-1), nil)
	put("8 9 10", now.Add(time.Millisecond), map[string]string{"ring": "no number"})
	end := ends(t, topics)
	put("11 12 13", now, nil)

	var got []ledger.Record
	reading, err := topics.Read(t.Context(), start, end, func(r ledger.Record) { got = append(got, r) })
	want := []ledger.Record{
		{
			City: "London", Partition: 1, Offset: 1, Ring: 7, RingTransfers: 3,
			Transfer: oracle.Transfer{Source: 4, Target: 5, Amount: 6, At: now.UnixMilli()},
		},
		{City: "London", Partition: 1, Offset: 5, Transfer: oracle.Transfer{Source: 8, Target: 9, Amount: 10, At: now.UnixMilli() + 1}},
	}
	if err != nil || reading.Bad != 3 || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %d bad, %v, want %+v and 3", got, reading.Bad, err, want)
	}
	if want := (ledger.Position{"London": {1: 6}}); !reflect.DeepEqual(reading.Behind, want) {
		t.Errorf("read up to %v, want %v", reading.Behind, want)
	}
	if reading, err := topics.Read(t.Context(), end, end, nil); reading.Bad != 0 || len(reading.Behind) != 0 || err != nil {
		t.Errorf("nothing to read: %+v, %v", reading, err)
	}
	at, err := topics.At(t.Context(), now.Add(time.Millisecond))
	if want := int64(3); err != nil || at["London"][1] != want || at["London"][0] != 0 {
		t.Errorf("offsets by time %v, %v, want %d in London/1 and 0 in London/0", at, err, want)
	}
}

func TestGroupsBeginWhereTheyAreTold(t *testing.T) {
	t.Parallel()
	s, topics := open(t)
	s.Produce(harness.Transfer("SF", time.Now(), 1, 2, 3))
	end := ends(t, topics)
	for _, group := range []string{"one", "other"} {
		if err := topics.Commit(t.Context(), group, end); err != nil {
			t.Fatal(err)
		}
	}
	at, err := topics.Committed(t.Context(), "one")
	if err != nil || !at.Reaches(end) || !reflect.DeepEqual(at, end) {
		t.Errorf("committed %v, %v, want %v", at, err, end)
	}
	if err := topics.Forget(t.Context(), "one", "never was"); err != nil {
		t.Fatal(err)
	}
	if at, err := topics.Committed(t.Context(), "one"); err != nil || at.Reaches(end) {
		t.Errorf("a group that is forgotten has committed %v, %v, want nothing", at, err)
	}
	if at, err := topics.Committed(t.Context(), "other"); err != nil || !at.Reaches(end) {
		t.Errorf("the other has committed %v, %v, want %v", at, err, end)
	}
}

func TestNoBrokerAnswers(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := ledger.OpenTopics(ctx, []string{"127.0.0.1:1"}, nil); err == nil || !strings.Contains(err.Error(), "Kafka at [127.0.0.1:1]") {
		t.Errorf("got %v, want an error that names the broker", err)
	}
}

func TestInfluxIsRead(t *testing.T) {
	t.Parallel()
	s, topics := open(t)
	influx := ledger.NewInflux(s.Influx.URL())
	if err := influx.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, read := range map[string]func() (int, error){
		"averages": func() (int, error) { found, err := influx.PastHour(t.Context()); return len(found), err },
		"points": func() (n int, err error) {
			err = influx.Points(t.Context(), 0, time.Now().UnixMilli(), func(ledger.Point) { n++ })
			return n, err
		},
	} {
		if n, err := read(); n != 0 || err != nil {
			t.Errorf("%s without a database: %d, %v, want none", name, n, err)
		}
	}
	start, now := ends(t, topics), time.Now()
	const many = 12_000 // more than a part of an answer
	records := make([]harness.Record, many)
	for i := range records {
		records[i] = harness.Transfer([]string{"London", "SF"}[i%2], now, uint32(i), 1, 1+uint32(i%2))
	}
	s.Produce(records...)
	store(t, s, s.Log("London", "SF"))
	account := ledger.NewAccount(start, ends(t, topics), 0)
	if _, err := topics.Read(t.Context(), start, ends(t, topics), account.Expect); err != nil {
		t.Fatal(err)
	}
	if err := influx.Points(t.Context(), now.UnixMilli(), now.UnixMilli(), account.Find); err != nil {
		t.Fatal(err)
	}
	if differences := account.Differences(); len(differences) > 0 {
		t.Error(strings.Join(differences, "\n"))
	}
	got, err := influx.PastHour(t.Context())
	want := map[string]ledger.Average{
		"London": {Volume: ledger.Volume{Count: many / 2, Sum: many / 2}, Mean: 1},
		"SF":     {Volume: ledger.Volume{Count: many / 2, Sum: many}, Mean: 2},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("past hour: %v, %v, want %v", got, err, want)
	}
	if err := s.Influx.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := influx.Ping(t.Context()); err == nil {
		t.Error("an InfluxDB that is away answers")
	}
}

// store writes the records to InfluxDB as points.
func store(t *testing.T, s *harness.System, records []harness.Record) {
	t.Helper()
	s.Query(`CREATE DATABASE fintrans; CREATE RETENTION POLICY "hour" ON fintrans DURATION 1h REPLICATION 1 SHARD DURATION 1h DEFAULT`)
	var points strings.Builder
	for _, r := range records {
		moved, _ := oracle.ParseTransfer(r.Value)
		fmt.Fprintf(&points, "transactions,city=%s,partition=%d amount=%di %d\n", r.City, r.Partition, moved.Amount, r.Time.UnixNano()+r.Offset)
	}
	answer, err := http.Post(s.Influx.URL()+"/write?db=fintrans&rp=hour", "text/plain", strings.NewReader(points.String()))
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusNoContent {
		t.Fatalf("write: status %s, %v", answer.Status, err)
	}
}
