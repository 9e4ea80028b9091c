package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestGenerate(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	var stderr bytes.Buffer
	if status := run([]string{folder}, &stderr); status != 0 {
		t.Fatalf("status %d: %s", status, &stderr)
	}
	if status := run([]string{"-check", folder}, &stderr); status != 0 {
		t.Fatalf("what was just written differs: %s", &stderr)
	}
	file := filepath.Join(folder, "dashboards", "5", "fintrans.json")
	for name, spoil := range map[string]func() error{
		"differs from its source":         func() error { return os.WriteFile(file, []byte("{}"), 0o600) },
		"no such file":                    func() error { return os.Remove(file) },
		"is not made by grafana/generate": func() error { return os.WriteFile(filepath.Join(folder, "dashboards", "5", "old.json"), nil, 0o600) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		stderr.Reset()
		if status := run([]string{"-check", folder}, &stderr); status != 1 || !strings.Contains(stderr.String(), name) {
			t.Errorf("status %d: %s; want 1 and %q", status, &stderr, name)
		}
		if status := run([]string{folder}, &stderr); status != 0 {
			t.Fatal(&stderr)
		}
		_ = os.Remove(filepath.Join(folder, "dashboards", "5", "old.json")) // of the third
	}
	if status := run([]string{"a", "b"}, &stderr); status != 2 {
		t.Errorf("two folders: status %d, want 2", status)
	}
}

// TestLinksNameColumns checks that each link names columns that the table has.
func TestLinksNameColumns(t *testing.T) {
	t.Parallel()
	for _, d := range []dashboard{fintransDashboard, transfers, pipelineDashboard} {
		for _, p := range d.panels {
			link := replaceColumns(p.link, p.columns, func(int, column) string { return "" })
			if strings.Contains(link, "{") {
				t.Errorf("%s: %s: the link names a column that is not there: %s", d.title, p.title, link)
			}
		}
	}
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	got := places([]panel{{width: 12, height: 4}, {width: 12, height: 6}, {width: 24, height: 3}, {width: 8, height: 2}})
	want := []place{{H: 4, W: 12}, {H: 6, W: 12, X: 12}, {H: 3, W: 24, Y: 6}, {H: 2, W: 8, Y: 9}}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("panel %d is at %+v, want %+v", i, got[i], want[i])
		}
	}
}
