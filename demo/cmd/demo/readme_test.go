package main

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"fintrans/demo/harness"
	"fintrans/internal/service"
)

var (
	// Rows of the README's tables: variable, default, programs that have it; those of the demo name none.
	settingRow     = regexp.MustCompile("(?m)^\\| `([A-Z0-9_]+)` \\| ([^|]*) \\| ([a-z, -]+) \\| [^|]+ \\|$")
	demoSettingRow = regexp.MustCompile("(?m)^\\| `([A-Z0-9_]+)` \\| ([^|]*) \\| [^|]+ \\|$")
	// Settings in the text of --help: variable and default, the latter with its limits.
	helpSetting = regexp.MustCompile(`(?m)^  --.*, ([A-Z0-9_]+) \((.*)\)$`)
	helpSecret  = regexp.MustCompile(`(?m)^  [A-Z0-9_]+, or in a file: .*, ([A-Z0-9_]+) \((.*)\)$`)
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// helpDefaults are the defaults in the text of --help, by variable.
func helpDefaults(text string) map[string]string {
	defaults := map[string]string{}
	for _, found := range append(helpSetting.FindAllStringSubmatch(text, -1), helpSecret.FindAllStringSubmatch(text, -1)...) {
		value, _, _ := strings.Cut(found[2], ";") // the limits
		switch value = strings.TrimPrefix(value, "default "); value {
		case "no default":
			value = "none"
		case generator, ingest, detector:
			value = "the program's name"
		}
		defaults[found[1]] = value
	}
	return defaults
}

// TestSettingsInTheReadme compares the README's table with what the services say themselves.
func TestSettingsInTheReadme(t *testing.T) {
	t.Parallel()
	want, services := map[string]string{}, []string{generator, ingest, detector}
	for _, of := range services {
		text, err := exec.Command(filepath.Join(harness.Binaries(t, of), of), "--help").Output()
		if err != nil {
			t.Fatal(err)
		}
		for variable, value := range helpDefaults(string(text)) {
			want[variable+" = "+value] += ", " + of
		}
	}
	all := ", " + strings.Join(services, ", ")
	for setting, of := range want {
		want[setting] = strings.Replace(strings.TrimPrefix(of, ", "), strings.TrimPrefix(all, ", "), "all", 1)
	}
	got := map[string]string{}
	for _, row := range settingRow.FindAllStringSubmatch(readme(t), -1) {
		got[row[1]+" = "+strings.ReplaceAll(row[2], "`", "")] = row[3]
	}
	compareSettings(t, got, want)
}

// TestSettingsOfTheDemoInTheReadme does the same for the demo.
func TestSettingsOfTheDemoInTheReadme(t *testing.T) {
	t.Parallel()
	var cfg config
	text, err := service.ReadSettings(name, description, &cfg, []string{"--help"}, os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	want, got := map[string]string{}, map[string]string{}
	for variable, value := range helpDefaults(text) {
		want[variable+" = "+value] = name
	}
	for _, row := range demoSettingRow.FindAllStringSubmatch(readme(t), -1) {
		got[row[1]+" = "+strings.ReplaceAll(row[2], "`", "")] = name
	}
	compareSettings(t, got, want)
}

func compareSettings(t *testing.T, got, want map[string]string) {
	t.Helper()
	if len(want) < 5 {
		t.Fatalf("--help lists %d settings: its form has changed", len(want))
	}
	settings := slices.Concat(slices.Collect(maps.Keys(got)), slices.Collect(maps.Keys(want)))
	slices.Sort(settings)
	for _, setting := range slices.Compact(settings) {
		if got[setting] != want[setting] {
			t.Errorf("%s: the README says it is of %s, --help of %s", setting, orNothing(got[setting]), orNothing(want[setting]))
		}
	}
}

func orNothing(text string) string {
	if text == "" {
		return "nothing"
	}
	return fmt.Sprintf("%q", text)
}
