package e2e_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"fintrans/demo/cases"
	"fintrans/demo/harness"
)

// TestImpatient runs the cases about /health and /ready on services that lose their patience within seconds:
// with the limits that they have, each would take minutes.
func TestImpatient(t *testing.T) {
	t.Parallel()
	binaries := map[string]string{}
	for service, own := range impatience {
		binaries[service] = harness.Mutant(t, service, slices.Concat(sharedImpatience, own)...)
	}
	start := func(t testing.TB, need harness.Need) harness.Servers {
		servers := harness.Embedded(t, need)
		servers.Binaries = binaries
		return servers
	}
	cases.Run(t, start, cases.Impatient())
}

// sharedImpatience shortens what all services wait for, and lets the variable STALL stop the ticks of a loop.
var sharedImpatience = []harness.Mutation{
	shorten("internal/service/health.go", "StallLimit = ", "60 * time.Second", cases.StallLimit),
	{
		File: "internal/service/health.go",
		Old:  "func (l *Loop) Tick() {",
		New:  "func (l *Loop) Tick() {\n\tif os.Getenv(\"STALL\") == l.name {\n\t\treturn\n\t}\n\t",
	},
	{File: "internal/service/health.go", Old: "\t\"fmt\"\n", New: "\t\"fmt\"\n\t\"os\"\n"},
	shorten("internal/kafka/config.go", "Metadata.RefreshFrequency = ", "30 * time.Second", time.Second),
}

// consumersImpatience shortens what both consumers wait for.
var consumersImpatience = []harness.Mutation{
	shorten("internal/consume/tracker.go", "silence = ", "3 * time.Second", time.Second),
	shorten("internal/consume/tracker.go", "askAgain = ", "5 * time.Second", time.Second),
	shorten("internal/consume/tracker.go", "stuckAfter = ", "60 * time.Second", 4*time.Second),
}

// impatience is what each service waits for on its own.
var impatience = map[string][]harness.Mutation{
	"generator": {
		shorten("generator/acks.go", "ackPatience = ", "30 * time.Second", 2*time.Second),
	},
	"influx-ingest": append(consumersImpatience[:3:3],
		shorten("influx-ingest/sink.go", "service.NewCondition(", "30 * time.Second", 2*time.Second),
		shorten("influx-ingest/main.go", "topicPatience = ", "60 * time.Second", 2*time.Second)),
	"laundering-detector": append(consumersImpatience[:3:3],
		shorten("laundering-detector/printer.go", "service.NewCondition(", "30 * time.Second", 2*time.Second),
		shorten("laundering-detector/trouble.go", "service.NewCondition(", "30 * time.Second", 2*time.Second)),
}

// shorten replaces the duration that follows a text.
func shorten(file, before, long string, short time.Duration) harness.Mutation {
	return harness.Mutation{File: file, Old: before + long, New: before + fmt.Sprintf("%d * time.Millisecond", short.Milliseconds())}
}
