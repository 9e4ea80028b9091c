package install_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"fintrans/demo/harness"
)

// readmeCommands are the indented lines of a part of the README, as a script.
func readmeCommands(t testing.TB, part string) string {
	t.Helper()
	text, err := os.ReadFile(root + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(text), "<!-- "+part+" -->\n")
	section, _, ended := strings.Cut(after, "<!-- end -->")
	if !found || !ended {
		t.Fatalf("the README has no part %q", part)
	}
	var script strings.Builder
	for line := range strings.Lines(section) {
		// The text of a list's entry is indented by three.
		if strings.HasPrefix(line, "    ") {
			script.WriteString(line)
		}
	}
	return script.String()
}

// TestManualInstallation runs exactly the commands of the README, with other addresses.
func TestManualInstallation(t *testing.T) {
	t.Parallel()
	c := start(t)
	script := readmeCommands(t, "manual installation")
	for example, ours := range map[string]string{"https://files.example.org/fintrans": c.files.url, "203.0.113.10": c.address} {
		if !strings.Contains(script, example) {
			t.Fatalf("the README does not have %s:\n%s", example, script)
		}
		script = strings.ReplaceAll(script, example, ours)
	}
	look := strings.Index(script, "    dcos task log") // at a time when there is something to see
	if look < 0 {
		t.Fatalf("the README does not look at the alerts:\n%s", script)
	}
	c.run(c.command("bash", "-euc", script[:look])).expect(t, 0, "Created deployment")
	for _, app := range []string{generator, ingest, detector} {
		c.awaitReady(app, 1)
	}
	harness.Eventually(t, func() (bool, string) {
		got := c.run(c.command("bash", "-euc", script[look:]))
		return strings.Contains(got.stdout, "POTENTIAL MONEY LAUNDERING: "), got.String()
	})
	if got := c.report().Grafana; len(got.Dashboards) < 3 {
		t.Errorf("Grafana has %+v, want three dashboards", got)
	}
	c.run(c.command("bash", "-euc", readmeCommands(t, "manual removal"))).expect(t, 0)
	harness.Eventually(t, func() (bool, string) {
		apps := c.report().Apps
		return len(apps) == 0, fmt.Sprintf("left: %v", apps)
	})
}
