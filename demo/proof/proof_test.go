//go:build proof

// Package proof_test runs what takes too long for every change: `make proof`.
package proof_test

import (
	"os"
	"testing"
	"time"

	"fintrans/demo/cases"
	"fintrans/demo/harness"
)

// They run one after the other: memory and pace are looked at.
func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

func TestMillion(t *testing.T)     { cases.Million(t, harness.Embedded) }
func TestSmallAtRest(t *testing.T) { cases.SmallAtRest(t, harness.Embedded) }

func TestRandomKills(t *testing.T) {
	cases.RandomKills(length(t, "KILLS", 2*time.Minute))(t, harness.Embedded)
}

// TestDrains ends each service fifty times.
func TestDrains(t *testing.T) { cases.DrainsUnderLoad(50)(t, harness.Embedded) }

func TestScale(t *testing.T) { cases.ConsumersScaleUnderLoad(5)(t, harness.Embedded) }

func TestSoak(t *testing.T) {
	cases.Soak(length(t, "SOAK", 20*time.Minute))(t, harness.Embedded)
}

// length is a duration from the environment.
func length(t *testing.T, variable string, otherwise time.Duration) time.Duration {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return d
}
