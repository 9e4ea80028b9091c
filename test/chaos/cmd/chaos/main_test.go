package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"fintrans/internal/service"
	"fintrans/test/chaos"
)

func nothingSet(string) (string, bool) { return "", false }

func TestSettingsThatAreNotValid(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"--faults=earthquake"}, {"--kafka=1"}, {"--brokers=0"}, {"--instances=7"}, {"--for=-1s"}, {"--rate=0"}, {"--pause=0"}, {"more"},
	} {
		var stdout, stderr strings.Builder
		if status := run(args, nothingSet, nil, &stdout, &stderr); status != service.ExitUsage {
			t.Errorf("%q: exit status %d, want %d", args, status, service.ExitUsage)
		}
		if strings.Count(stderr.String(), "\n") != 1 || stdout.Len() > 0 {
			t.Errorf("%q: stderr %q and stdout %q, want one line on stderr", args, stderr.String(), stdout.String())
		}
	}
}

func TestHelpNamesAllKinds(t *testing.T) {
	t.Parallel()
	var stdout, stderr strings.Builder
	if status := run([]string{"--help"}, nothingSet, nil, &stdout, &stderr); status != service.ExitOK {
		t.Errorf("exit status %d, want %d", status, service.ExitOK)
	}
	for _, kind := range chaos.Kinds() {
		if !strings.Contains(stdout.String(), string(kind)) {
			t.Errorf("no %s in\n%s", kind, stdout.String())
		}
	}
}

func TestServicesThatAreMissing(t *testing.T) {
	t.Parallel()
	var stdout, stderr strings.Builder
	if status := run([]string{"--binaries=" + t.TempDir()}, nothingSet, nil, &stdout, &stderr); status != service.ExitError {
		t.Errorf("exit status %d, want %d", status, service.ExitError)
	}
	if !strings.Contains(stderr.String(), "make chaos") {
		t.Errorf("%q does not say what to do", stderr.String())
	}
}

// TestCommandIsTheSame sees that the command of a report, run again, is the same configuration.
func TestCommandIsTheSame(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"--seed=5"},
		{"--seed=7", "--for=90s", "--kafka=2.4", "--brokers=1", "--instances=2", "--rate=2.5", "--pause=2500ms", "--faults=kill,net-cut"},
	} {
		var first, again config
		if _, err := service.ReadSettings(name, description, &first, args, nothingSet); err != nil {
			t.Fatal(err)
		}
		variables := map[string]string{}
		for _, word := range strings.Fields(first.command()) {
			if variable, value, ok := strings.Cut(word, "="); ok {
				variables[variable] = value
			}
		}
		environ := func(variable string) (string, bool) { value, ok := variables[variable]; return value, ok }
		if _, err := service.ReadSettings(name, description, &again, nil, environ); err != nil {
			t.Fatal(err)
		}
		if first.command() != again.command() || first.For != again.For || first.Rate != again.Rate || first.Pause != again.Pause || len(first.Faults) != len(again.Faults) {
			t.Errorf("%+v, want %+v", again, first)
		}
	}
}

// TestSettingsInTheReadme compares the README's table with what --help says.
func TestSettingsInTheReadme(t *testing.T) {
	t.Parallel()
	var cfg config
	help, err := service.ReadSettings(name, description, &cfg, []string{"--help"}, nothingSet)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	settings := regexp.MustCompile(`(?m)^  --.*, ([A-Z]+) \((no default|default ([^;)]*)).*\)$`).FindAllStringSubmatch(help, -1)
	if len(settings) < 5 {
		t.Fatalf("--help lists %d settings: its form has changed\n%s", len(settings), help)
	}
	for _, setting := range settings {
		if row := "\n| `" + setting[1] + "=" + setting[3] + "` | "; !strings.Contains(string(text), row) {
			t.Errorf("the README has no row %q", row)
		}
	}
	for _, kind := range chaos.Kinds() {
		if !strings.Contains(string(text), "`"+string(kind)+"`") {
			t.Errorf("the README does not name the kind %s", kind)
		}
	}
}
