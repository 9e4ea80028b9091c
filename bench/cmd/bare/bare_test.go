package main

import (
	"os"
	"regexp"
	"testing"

	"fintrans/internal/service"
)

// The bare consumer's latency is the detector's ceiling only while brokers collect records for it as for the detector.
func TestItWaitsAsTheDetectorDoes(t *testing.T) {
	t.Parallel()
	const source = "../../../laundering-detector/connect.go"
	text, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	var cfg config
	if _, err := service.ReadSettings("bare", "", &cfg, nil, func(string) (string, bool) { return "", false }); err != nil {
		t.Fatal(err)
	}
	for pattern, want := range map[string]bool{
		`maxWait += 250 \* time\.Millisecond\n`:                           cfg.MaxWait.Duration().Milliseconds() == 250,
		`minFetch += 1\n`:                                                 cfg.FetchMin == 1,
		`settings\.Consumer\.MaxWaitTime = maxWait\n`:                     true,
		`settings\.Consumer\.Fetch\.Min = minFetch\n`:                     true,
		`cfg\.Config\(name\)\n(.*\n){3}\tsettings\.Consumer\.MaxWaitTime`: true,
	} {
		if !want || !regexp.MustCompile(pattern).Match(text) {
			t.Errorf("%s does not say %s as this program does: change MAX_WAIT or FETCH_MIN with it", source, pattern)
		}
	}
}
