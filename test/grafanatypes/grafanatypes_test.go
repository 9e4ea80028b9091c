// Package grafanatypes_test checks the dashboards for current Grafana against the types that Grafana publishes.
package grafanatypes_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fintrans/grafana"
)

func TestDashboards(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(grafana.Files, "dashboards/current/*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("dashboards: %v %v", names, err)
	}
	folder := install(t)
	var source strings.Builder
	source.WriteString("import type { File } from './types';\n")
	for i, name := range names {
		text, err := grafana.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&source, "// %s\nexport const file%d: File = %s;\n", path.Base(name), i, text)
	}
	write(t, folder, "check.ts", source.String())
	for i, broken := range mistakes {
		changed := strings.Replace(source.String(), broken[0], broken[1], 1)
		if changed == source.String() {
			t.Errorf("no file has %s", broken[0])
		}
		write(t, folder, fmt.Sprintf("broken%d.ts", i), changed)
	}

	output, err := run(t, folder, filepath.Join(folder, "node_modules", ".bin", "tsc"), "--project", "tsconfig.json", "--pretty", "false")
	if err == nil {
		t.Fatal("the compiler finds no mistake where there are some")
	}
	for line := range strings.Lines(output) {
		if !strings.HasPrefix(line, "broken") && !strings.HasPrefix(line, " ") {
			t.Errorf("the files are not what Grafana's types say: %s", line)
		}
	}
	for i, broken := range mistakes {
		if !strings.Contains(output, fmt.Sprintf("broken%d.ts(", i)) {
			t.Errorf("%s in place of %s is not noticed", broken[1], broken[0])
		}
	}
}

// mistakes show that the check finds something: a value, a name and a type that Grafana does not know.
var mistakes = [][2]string{
	{`"mode": "percent"`, `"mode": "perhaps"`}, {`"showHeader": true`, `"showHeaders": true`}, {`"lineWidth": 1`, `"lineWidth": "1"`},
	{`"refresh": 1`, `"refresh": "1"`}, {`"editable": true`, `"editabel": true`}, {`"drawStyle": "line"`, `"drawStyle": "curve"`},
	{`"resultFormat": "table"`, `"resultFormat": "tables"`},
}

func write(t *testing.T, folder, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// install fetches the types and the compiler.
func install(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("npm"); err != nil {
		t.Fatal("npm is missing: install Node.js with npm (Debian packages: nodejs, npm)")
	}
	folder := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", "tsconfig.json", "types.ts"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		write(t, folder, name, string(text))
	}
	if output, err := run(t, folder, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, output)
	}
	return folder
}

func run(t *testing.T, folder, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, name, args...)
	command.Dir = folder
	output, err := command.CombinedOutput()
	return string(output), err
}
