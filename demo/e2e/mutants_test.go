package e2e_test

import (
	"slices"
	"strings"
	"testing"

	"fintrans/demo/cases"
	"fintrans/demo/harness"
)

// TestFaultsAreNoticed puts faults into the code, one by one, and wants the case that is there for it to
// fail. A case that passes with the fault shows nothing.
func TestFaultsAreNoticed(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		service string
		mutate  harness.Mutation
		by      func(testing.TB, harness.Starter)
		failure string // that tells of the fault, and of nothing else
	}{
		{
			"the window is a millisecond too long", "laundering-detector",
			harness.Mutation{
				File: "laundering-detector/detector.go",
				Old:  "d.cfg.AlertWindow.Milliseconds(),",
				New:  "d.cfg.AlertWindow.Milliseconds() + 1,",
			}, cases.AlertsInOrder, "alerts, want",
		},
		{
			"the fastest topic decides what is forgotten", "laundering-detector",
			harness.Mutation{
				File: "laundering-detector/shard.go",
				Old:  "low = min(low, st.newest",
				New:  "low = max(s.low, st.newest",
			}, cases.AlertsOfFiveCities, "episodes, which need",
		},
		{
			"offsets are committed before the alert is out", "laundering-detector",
			harness.Mutation{
				File: "laundering-detector/reading.go",
				Old:  "	done, lines, err := r.shard.judge(",
				New: `	early := records[len(records)-1]
	r.claim.Done(early.Offset+1, early.Millis)
	r.commit(ctx)
	done, lines, err := r.shard.judge(`,
			}, cases.UnreadAlertsAreNotLost, "alerts, want",
		},
		{
			"the window is not read back", "laundering-detector",
			harness.Mutation{
				File: "laundering-detector/rebuild.go",
				Old:  "	for topic, begin := range begins {\n		n, err := s.readBack(",
				New:  "	for topic, begin := range begins[:0] {\n		n, err := s.readBack(",
			}, cases.KilledDetectorLosesNothing, "alerts, want",
		},
		{
			"less than the window is read back", "laundering-detector",
			harness.Mutation{
				File: "laundering-detector/rebuild.go",
				Old:  "AlertLateness.Milliseconds()-length)",
				New:  "AlertLateness.Milliseconds())",
			}, cases.KilledDetectorLosesNothing, "alerts, want",
		},
		{
			"each topic is read back from its own commit", "laundering-detector",
			harness.Mutation{
				File: "laundering-detector/rebuild.go",
				Old:  "smallest = min(smallest, at)",
				New:  "smallest = at",
			}, cases.LaggingCityIsNotForgotten, "episodes, which need",
		},
		{
			"offsets are committed before the alert is published", "laundering-detector",
			harness.Mutation{
				File: "laundering-detector/outbox.go",
				Old:  "	if len(o.queue) > 0 {\n		return o.queue[0].before[topic]",
				New:  "	if len(o.queue) < 0 {\n		return o.queue[0].before[topic]",
			}, cases.UnpublishedAlertsAreNotLost, "transactions are committed, of which",
		},
		{
			"only the topic of the alert waits for its publication", "laundering-detector",
			harness.Mutation{
				File: "laundering-detector/outbox.go",
				Old:  "	if len(o.queue) > 0 {\n		return o.queue[0].before[topic]",
				New:  "	if len(o.queue) > 0 && o.queue[0].topic == topic {\n		return o.queue[0].before[topic]",
			}, cases.UnpublishedAlertsAreNotLost, "transactions are committed, of which",
		},
		{
			"what was published is not read back", "laundering-detector",
			harness.Mutation{
				File: "laundering-detector/published.go",
				Old:  "	if !s.outbox.publishes() {\n		return nil",
				New:  "	if s.outbox.publishes() {\n		return nil",
			}, cases.PublishedAlertsAreNotRepeated, "alerts in two lives, want",
		},
		{
			"an alert's point is told by its time alone", "influx-ingest",
			harness.Mutation{
				File: "influx-ingest/encode.go",
				Old:  "pointTime(int64(a.Time), a.Offset)",
				New:  "pointTime(int64(a.Time), 0)",
			}, cases.AlertsArePoints, "points of alerts, want",
		},
		{
			"offsets are committed before the write is accepted", "influx-ingest",
			harness.Mutation{
				File: "influx-ingest/writer.go",
				Old:  "		err := w.store(",
				New: `		for i, f := range load.feeds {
			f.claim.Done(load.batches[i].next, load.batches[i].millis)
		}
		stored()
		err := w.store(`,
			}, cases.UnwrittenMoneyIsNotLost, "committed while InfluxDB did not answer",
		},
		{
			"a point's time does not tell records of one millisecond apart", "influx-ingest",
			harness.Mutation{
				File: "influx-ingest/encode.go",
				Old:  "+ offset%nanosPerMilli }",
				New:  "}",
			}, cases.EachTransactionIsOnePoint, "points, want",
		},
		{
			"records with the same content are taken for one", "influx-ingest",
			harness.Mutation{
				File: "influx-ingest/stream.go",
				Old:  "pointTime(millis, record.Offset)",
				New:  "pointTime(millis, int64(t.Amount))",
			}, cases.EachTransactionIsOnePoint, "points, want",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := harness.FastMutant(t, test.service, test.mutate)
			start := func(t testing.TB, need harness.Need) harness.Servers {
				servers := harness.Embedded(t, need)
				servers.Binaries = map[string]string{test.service: dir}
				return servers
			}
			failures := harness.Try(t, func(t testing.TB) { test.by(t, start) })
			noticed := slices.ContainsFunc(failures, func(failure string) bool { return strings.Contains(failure, test.failure) })
			if !noticed {
				t.Errorf("with the fault in the code the case fails with %.300q, want %q", failures, test.failure)
			}
		})
	}
}
