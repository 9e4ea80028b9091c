// Package cases are the end-to-end cases: what fintrans promises, shown on its real binaries. Each
// starts servers of its own, embedded or real, and runs in parallel with the others.
package cases

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"fintrans/demo/harness"
	"fintrans/demo/oracle"
)

// Case is a promise and how it is shown.
type Case struct {
	Name string
	Run  func(t testing.TB, start harness.Starter)
}

// All returns all cases.
func All() []Case {
	return slices.Concat([]Case{
		{"GeneratedMoneyArrives", GeneratedMoneyArrives},
		{"EachTransactionIsOnePoint", EachTransactionIsOnePoint},
		{"AlertsInOrder", AlertsInOrder},
		{"AlertsInOrderEvery", AlertsInOrderEvery},
		{"AlertsOfFiveCities", AlertsOfFiveCities},
		{"AlertsOfFiveCitiesEvery", AlertsOfFiveCitiesEvery},
		{"AlertsOf2016", AlertsOf2016},
		{"BadRecordsAreSkipped", BadRecordsAreSkipped},
		{"RecordsWithoutKey", RecordsWithoutKey},
		{"TopicsComeLate", TopicsComeLate},
		{"KafkaComesLateAndGoes", KafkaComesLateAndGoes},
		{"InfluxComesLateAndGoes", InfluxComesLateAndGoes},
		{"InfluxFails", InfluxFails},
		{"DatabaseIsDropped", DatabaseIsDropped},
		{"UnwrittenMoneyIsNotLost", UnwrittenMoneyIsNotLost},
		{"KilledIngestLosesNothing", KilledIngestLosesNothing},
		{"DrainedIngestLosesNothing", DrainedIngestLosesNothing},
		{"KilledGeneratorLeavesWholeRecords", KilledGeneratorLeavesWholeRecords},
		{"IngestsShareTheWork", IngestsShareTheWork},
		{"DetectorsShareTheWork", DetectorsShareTheWork},
		{"MoreDetectorsThanPartitions", MoreDetectorsThanPartitions},
		{"KilledDetectorLosesNothing", KilledDetectorLosesNothing},
		{"DrainedDetectorRepeatsNothing", DrainedDetectorRepeatsNothing},
		{"UnreadAlertsAreNotLost", UnreadAlertsAreNotLost},
		{"LaggingCityIsNotForgotten", LaggingCityIsNotForgotten},
		{"Dashboards", Dashboards},
		{"AlertsLeadToTransfers", AlertsLeadToTransfers},
	}, detectorFaults(), alertTopic(), pipelineStatus(), zombies(), producers(), logs(), operation())
}

// Run runs the cases as subtests, in parallel.
func Run(t *testing.T, start harness.Starter, list []Case) {
	for _, c := range list {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			c.Run(t, start)
		})
	}
}

const (
	ingest   = "influx-ingest"
	detector = "laundering-detector"
)

// quick are settings of the ingest that do not let a test wait.
var quick = harness.Env{"INGEST_WAIT_SEC": "0.05"}

// rules are a detector's settings for the rule.
func rules(rule oracle.Rule, lateness time.Duration) harness.Env {
	return harness.Env{
		"ALERT_THRESHOLD": fmt.Sprint(rule.Threshold),
		"ALERT_WINDOW":    (time.Duration(rule.Window) * time.Millisecond).String(),
		"ALERT_LATENESS":  lateness.String(),
	}
}

// with returns the settings and one more.
func with(env harness.Env, name, value string) harness.Env {
	more := harness.Env{name: value}
	for name, value := range env {
		more[name] = value
	}
	return more
}

// awaitJudged waits until a detector that has not been restarted has dealt with this many records.
func awaitJudged(t testing.TB, p *harness.Process, records int) {
	t.Helper()
	harness.Eventually(t, func() (bool, string) {
		judged, _ := p.Metric("laundering_detector_records_total", nil)
		return int(judged) >= records, fmt.Sprintf("%v records of %d were judged", judged, records)
	})
}

// alerts are all lines of a detector's stdout. It must have ended: of one that runs, lines may be on their way.
func alerts(t testing.TB, p *harness.Process) []oracle.Alert {
	t.Helper()
	if p.Running() {
		t.Fatalf("%v has not ended: not all that it has written may have been read", p)
	}
	found, err := oracle.ParseAlerts(p.Stdout())
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// report fails the case with what is wrong, the first of it.
func report(t testing.TB, wrong []error) {
	t.Helper()
	for i, err := range wrong {
		if i == 5 {
			t.Errorf("and %d more", len(wrong)-i)
			return
		}
		t.Error(err)
	}
}

// term ends processes with SIGTERM; each has to drain and exit with 0.
func term(t testing.TB, processes ...*harness.Process) {
	t.Helper()
	for _, p := range processes {
		if status := p.Term(); status != 0 {
			t.Errorf("%v: exit status %d after SIGTERM, want 0", p, status)
		}
	}
}

// Core returns the cases that depend most on what the servers do: groups, commits, offsets by time, transactions,
// topics that come late, writes that are answered or not.
func Core() []Case {
	return []Case{
		{"Whole", Whole},
		{"EachTransactionIsOnePoint", EachTransactionIsOnePoint},
		{"AlertsOfFiveCities", AlertsOfFiveCities},
		{"BadRecordsAreSkipped", BadRecordsAreSkipped},
		{"TopicsComeLate", TopicsComeLate},
		{"KafkaComesLateAndGoes", KafkaComesLateAndGoes},
		{"InfluxComesLateAndGoes", InfluxComesLateAndGoes},
		{"DatabaseIsDropped", DatabaseIsDropped},
		{"KilledIngestLosesNothing", KilledIngestLosesNothing},
		{"DetectorsShareTheWork", DetectorsShareTheWork},
		{"DetectorKilledUnderLoad", DetectorKilledUnderLoad},
		{"DrainedDetectorRepeatsNothing", DrainedDetectorRepeatsNothing},
		{"RestartChangesNoAlert", RestartChangesNoAlert},
		{"MarkerIsNoLag", MarkerIsNoLag},
		{"AlertsArePublished", AlertsArePublished},
		{"AlertTopicIsCreatedAgain", AlertTopicIsCreatedAgain},
		{"AlertsArePoints", AlertsArePoints},
		{"PipelineIsReported", PipelineIsReported},
		{"Dashboards", Dashboards},
		{"AlertsLeadToTransfers", AlertsLeadToTransfers},
	}
}
