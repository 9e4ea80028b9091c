package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestTroubleEndsWithTheSession: whoever gets the partitions writes what was held. This instance may have nothing to
// write for a long time, and could not tell that InfluxDB is back.
func TestTroubleEndsWithTheSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		away := func(context.Context, []byte) verdict { return verdict{kind: unavailable, reason: "away"} }
		i := newIngest(config{}, testRuntime(), stream{}, nil, quietSink(away))
		for range 2 { // the next session finds out by itself
			s := &session{pool: newPool(time.Second), left: map[string]int{}}
			i.session = s
			w := &writer{pool: s.pool, sink: i.sink, loop: i.sink.health.Loop("write")}
			s.work.Go(func() { w.run(func() {}) })
			f := newFeed(&marks{}, "London/3", 0)
			s.pool.add(f, filled(0, 5))
			time.Sleep(time.Minute)
			if i.sink.trouble.Reason() == "" {
				t.Error("ready while InfluxDB takes no writes")
			}
			s.leave(f.name, s.pool.drain(f, func() {}))
			i.Cleanup(nil)
			if reason := i.sink.trouble.Reason(); reason != "" {
				t.Errorf("not ready without a session: %s", reason)
			}
			if i.unwritten() == nil {
				t.Error("nothing was left")
			}
		}
	})
}
