package main

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/influxdata/influxdb1-client/models"

	"fintrans/internal/alert"
	"fintrans/internal/kafka"
)

var anAlert = alert.Alert{
	Source: 516, Target: 482, Total: 10644, Threshold: 10000, Window: 3_600_000, Transfers: 5,
	First: 1795600800123, Last: 1795601100456, Cities: []string{"London", "NYC"},
	Topic: "London", Partition: 3, Offset: 2_001_234, Time: 1795601100456,
}

func TestAnAlertIsAPointOfItsTransaction(t *testing.T) {
	t.Parallel()
	e := alertStream(config{AlertsTopic: "alerts", KafkaGroup: "in"}, testRuntime()).encoder("alerts", 1)
	record := &kafka.Record{Offset: 77, Millis: time.Now().UnixMilli(), Value: anAlert.Encode()}
	millis, bad := e.read(record, int64(anAlert.Time))
	if millis != int64(anAlert.Time) || bad != nil {
		t.Fatalf("got %d, %v", millis, bad)
	}
	line := e.appendPoint([]byte("before\n"))
	const want = `alerts,city=London,partition=3 source=516i,target=482i,total=10644i,threshold=10000i,window_ms=3600000i,transfers=5i,` +
		`first_ms=1795600800123i,last_ms=1795601100456i,offset=2001234i,cities="London, NYC" 1795601100456001234` + "\n"
	if got := string(bytes.TrimPrefix(line, []byte("before\n"))); got != want {
		t.Errorf("got  %swant %s", got, want)
	}
	points, err := models.ParsePoints([]byte(want))
	if err != nil || len(points) != 1 {
		t.Fatalf("InfluxDB reads %d points, %v", len(points), err)
	}
}

func TestWhatIsNoAlertHasAReason(t *testing.T) {
	t.Parallel()
	ahead := anAlert
	ahead.Time++
	tests := []struct {
		value string
		want  alert.Reason
	}{
		{"", alert.Empty},
		{"516 482 10644", alert.NotJSON},
		{"{}", alert.Fields},
		{string(ahead.Encode()), alert.Ahead},
	}
	for _, tt := range tests {
		_, bad := new(alerts).read(&kafka.Record{Value: []byte(tt.value)}, int64(anAlert.Time))
		if bad != tt.want {
			t.Errorf("%q: got %v, want %v", tt.value, bad, tt.want)
		}
	}
}

func TestAnAlertOlderThanTheRetentionIsNotSent(t *testing.T) {
	t.Parallel()
	now := time.Now()
	b := newBench(t, (&script{answers: []verdict{{kind: accepted}}}).post)
	b.end()
	b.reading.encoder, b.reading.maxAge = new(alerts), monthPolicy.duration
	for i, age := range []time.Duration{0, monthPolicy.duration - time.Minute, monthPolicy.duration + time.Minute} {
		a := anAlert
		a.Time = alert.Millis(now.Add(-age).UnixMilli())
		b.reading.encode([]kafka.Record{{Offset: int64(i), Value: a.Encode()}})
	}
	if b.reading.chunk.points() != 2 || b.reading.expired != 1 || b.reading.chunk.records != 3 {
		t.Errorf("%d points, %d expired of %d", b.reading.chunk.points(), b.reading.expired, b.reading.chunk.records)
	}
}

func TestBothErrorsAreOneLine(t *testing.T) {
	t.Parallel()
	first, second := fmt.Errorf("one"), fmt.Errorf("two")
	for _, tt := range []struct {
		first, second error
		want          string
	}{{nil, nil, "<nil>"}, {first, nil, "one"}, {nil, second, "two"}, {first, second, "one; two"}} {
		if got := fmt.Sprint(both(tt.first, tt.second)); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
