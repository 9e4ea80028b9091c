package cases

import (
	"fmt"
	"testing"
	"time"

	"fintrans/demo/harness"
)

// pipelineStatus are the cases of the measurement pipeline.
func pipelineStatus() []Case {
	return []Case{
		{"PipelineIsReported", PipelineIsReported},
		{"MoneyDoesNotWaitForThePipeline", MoneyDoesNotWaitForThePipeline},
	}
}

// pipelineTo is the name of the pipeline topic in the cases.
const pipelineTo = "pipeline"

// reporting are a service's settings with the pipeline topic.
func reporting(env harness.Env) harness.Env { return with(env, "PIPELINE_TOPIC", pipelineTo) }

// reported adds up a field of the measurement over all points of a service, by the tags given.
func reported(s *harness.System, service, field, by string) map[string]int64 {
	sums := map[string]int64{}
	series, err := s.TryQuery(fmt.Sprintf(`SELECT sum(%s) AS total FROM "hour"."pipeline" WHERE service = '%s' GROUP BY %s`, field, service, by))
	if err != nil {
		return sums // it is not there yet
	}
	for _, found := range series {
		key := found.Tags["city"]
		if reason := found.Tags["reason"]; reason != "" {
			key += " " + reason
		}
		sums[key] = found.Integer(0, "total")
	}
	return sums
}

// PipelineIsReported shows that InfluxDB learns what both consumers have dealt with, city by city, what they
// skipped and why, and the size of the detector's window.
func PipelineIsReported(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	in, det := s.Start(ingest, reporting(quick)), s.Start(detector, reporting(rules(tenMinutes, 10*time.Minute)))
	records := recent.transactions() // all within the retention: the ingest begins where that does
	s.CreateTopics(1, pipelineTo)
	for range 3 {
		records = append(records, harness.Record{City: "SF", Partition: 2, Key: []byte("1 2"), Value: []byte("noise"), Time: time.Now()})
	}
	s.Produce(records...)
	want := map[string]int64{}
	for _, r := range records {
		want[r.City]++
	}
	for _, service := range []string{ingest, detector} {
		harness.Eventually(t, func() (bool, string) {
			got := reported(s, service, "records", "city")
			for city, n := range want {
				if got[city] != n {
					return false, fmt.Sprintf("%s reports %d records of %s, want %d", service, got[city], city, n)
				}
			}
			bad := reported(s, service, "bad", "city, reason")["SF fields"]
			return bad == 3, fmt.Sprintf("%s reports %d bad records of SF, want 3", service, bad)
		})
	}
	harness.Eventually(t, func() (bool, string) {
		got := reported(s, detector, "alerts", "service")[""]
		return got == int64(len(det.Stdout())) && got > 0, fmt.Sprintf("%d alerts are reported, %d are on stdout", got, len(det.Stdout()))
	})
	harness.Eventually(t, func() (bool, string) {
		pairs, _ := det.Metric("laundering_detector_window_pairs", nil)
		last := s.Query(`SELECT last(window_pairs) AS pairs, last(window_transactions), last(window_bytes), last(retries) FROM "hour"."pipeline" WHERE service = 'laundering-detector'`)
		return len(last) == 1 && last[0].Integer(0, "pairs") == int64(pairs) && pairs > 0,
			fmt.Sprintf("the window has %v pairs, reported are %v", pairs, last)
	})
	harness.Eventually(t, func() (bool, string) {
		lag := s.Query(`SELECT last(lag_records) AS lag, last(lag_seconds) FROM "hour"."pipeline" GROUP BY service, city`)
		behind := int64(0)
		for _, series := range lag {
			behind += series.Integer(0, "lag")
		}
		return behind == 0 && len(lag) >= 10, fmt.Sprintf("a lag of %d records is reported in %d series, want none in 10", behind, len(lag))
	})
	term(t, in, det)
}

// MoneyDoesNotWaitForThePipeline has nobody create the pipeline topic, puts noise into it, and deletes it: money and
// alerts flow.
func MoneyDoesNotWaitForThePipeline(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	in := s.Start(ingest, reporting(quick))
	records := recent.transactions()
	third := len(records) / 3
	s.Produce(records[:third]...)
	s.AwaitVolumes(volumes(records[:third]))
	s.CreateTopics(1, pipelineTo)
	for _, noise := range []string{"", "noise", "{}", `{"service":"x","instance":"y","time":"2026-11-25T10:00:00Z"}`} {
		s.Produce(harness.Record{City: pipelineTo, Key: []byte("x"), Value: []byte(noise), Time: time.Now()})
	}
	awaitMetric(t, in, "influx_ingest_pipeline_bad_records_total", 4)
	det := s.Start(detector, reporting(rules(tenMinutes, 10*time.Minute)))
	s.Produce(records[third : 2*third]...)
	s.AwaitVolumes(volumes(records[:2*third]))
	harness.Eventually(t, func() (bool, string) {
		return len(reported(s, detector, "records", "city")) == 5, "the detector has not reported"
	})
	s.DeleteTopics(pipelineTo)
	s.Produce(records[2*third:]...)
	s.AwaitVolumes(volumes(records))
	awaitJudged(t, det, len(records))
	awaitMetric(t, det, "laundering_detector_pipeline_dropped_total", 1)
	s.AwaitCommitted(detector, harness.Cities()...)
	term(t, in, det)
	report(t, tenMinutes.Check(alerts(t, det), transfers(records)))
}
