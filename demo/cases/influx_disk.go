package cases

import (
	"errors"
	"fmt"
	"testing"

	"fintrans/demo/harness"
)

// InfluxDiskIsFull leaves InfluxDB no room on its disk, in mid-stream: it refuses, the ingest commits nothing that is
// not stored, says why and goes on when there is room again and InfluxDB was restarted: until then it repeats the
// error that it once had. fill returns what makes room.
func InfluxDiskIsFull(fill func() (free func() error, err error)) func(testing.TB, harness.Starter) {
	return func(t testing.TB, start harness.Starter) {
		s := harness.NewSystem(t, start, harness.Need{})
		in := s.Start(ingest, quick)
		records := recent.transactions()
		half := len(records) / 2
		s.Produce(records[:half]...)
		s.AwaitVolumes(volumes(records[:half]))
		s.AwaitCommitted(ingest, harness.Cities()...)
		accepted := sum(s.Committed(ingest))
		free, err := fill()
		if err != nil {
			t.Fatal(err)
		}
		s.Produce(records[half:]...)
		in.AwaitLog("no space left on device")
		awaitMetric(t, in, "influx_ingest_retries_total", 4)
		stored := total(s.Volumes())
		if committed := sum(s.Committed(ingest)); committed > stored || committed < accepted {
			t.Errorf("%d records are committed, %d are stored, %d were before the disk was full", committed, stored, accepted)
		}
		if err := errors.Join(free(), s.Influx.Stop(), s.Influx.Start()); err != nil {
			t.Fatal(err)
		}
		s.AwaitVolumes(volumes(records))
		s.AwaitCommitted(ingest, harness.Cities()...)
		in.AwaitReady()
		term(t, in)
		if got := fmt.Sprint(s.Volumes()); got != fmt.Sprint(volumes(records)) {
			t.Errorf("InfluxDB holds %s, want %v", got, volumes(records))
		}
	}
}
