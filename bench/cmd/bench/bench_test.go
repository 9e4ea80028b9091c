package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fintrans/bench/cases"
	"fintrans/internal/service"
)

func start(t *testing.T, environment map[string]string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(context.Background(), args, func(name string) (string, bool) {
		value, ok := environment[name]
		return value, ok
	}, &out, &errs)
	return status, out.String(), errs.String()
}

func TestHelpNamesSettingsAndCases(t *testing.T) {
	t.Parallel()
	status, text, _ := start(t, nil, "--help")
	if status != service.ExitOK {
		t.Errorf("status %d", status)
	}
	wanted := []string{"ONLY", "ROUNDS", "RECORDS", "RESULTS", "PROFILE"}
	for _, c := range cases.All() {
		wanted = append(wanted, "\n  "+c.Name+" ")
	}
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
}

func TestBadSettings(t *testing.T) {
	t.Parallel()
	for variable, value := range map[string]string{"ONLY": "detector,nonsense", "ROUNDS": "0", "RECORDS": "9999"} {
		status, _, stderr := start(t, map[string]string{variable: value})
		if status != service.ExitUsage || !strings.Contains(stderr, variable) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s=%s: status %d and %q, want %d and one line that names it", variable, value, status, stderr, service.ExitUsage)
		}
	}
	if status, _, stderr := start(t, nil, "stray"); status != service.ExitUsage {
		t.Errorf("a stray argument: status %d and %q, want %d", status, stderr, service.ExitUsage)
	}
}

func TestOnly(t *testing.T) {
	t.Parallel()
	cfg := config{Rounds: 2, Records: 20_000}
	if got := len(cfg.chosen()); got != len(cases.All()) {
		t.Errorf("%d cases where none is named, want all", got)
	}
	if err := cfg.Only.UnmarshalText([]byte(" rest, detector")); err != nil {
		t.Fatal(err)
	}
	chosen := cfg.chosen()
	if len(chosen) != 2 || chosen[0].Name != "detector" || chosen[1].Name != "rest" {
		t.Errorf("chosen %v, want detector and rest in their order", chosen)
	}
	if got, want := cfg.command("rest", "detector"), "make bench ONLY=rest,detector ROUNDS=2 RECORDS=20000"; got != want {
		t.Errorf("command %q, want %q", got, want)
	}
	cfg.Profile = "profiles"
	if got, want := cfg.command(), "make bench ROUNDS=2 RECORDS=20000 PROFILE=profiles"; got != want {
		t.Errorf("command %q, want %q", got, want)
	}
}

func TestTheMachineIsSaid(t *testing.T) {
	t.Parallel()
	root, err := checkout()
	if err != nil {
		t.Fatal(err)
	}
	text, err := machine(root)
	if err != nil || !strings.Contains(text, " cores (") || !strings.Contains(text, "Apache Kafka 4.") {
		t.Errorf("%q, error %v", text, err)
	}
	// What is measured against is of the release that is measured on.
	version, err := kafkaVersion(root)
	if err != nil {
		t.Fatal(err)
	}
	pom, err := os.ReadFile(filepath.Join(root, "bench", "java", "pom.xml"))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(string(pom), "<version>"+version+"</version>"); got != 2 {
		t.Errorf("bench/java/pom.xml names Kafka %s %d times, want twice: for kafka-tools and kafka-streams", version, got)
	}
}
