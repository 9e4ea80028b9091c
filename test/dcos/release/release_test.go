// Package release_test looks at what `make release` makes.
package release_test

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

const root = "../../.."

// service stands for all three: they are built by the same command.
const service = "influx-ingest"

// release makes a release of the service in a checkout.
func release(t *testing.T, checkout, archs string, more ...string) string {
	t.Helper()
	dist := filepath.Join(t.TempDir(), "dist")
	command := exec.CommandContext(t.Context(), "make", append([]string{"--no-print-directory", "release", "DIST=" + dist, "RELEASE_ARCHS=" + archs,
		"SERVICES=" + service, "VERSION=v1.2.3", "COMMIT=0123abc"}, more...)...)
	command.Dir = checkout
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", command.Args, err, output)
	}
	return dist
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestReleaseIsReproducible makes a release twice: here, and elsewhere from a copy of the sources with nothing that was
// compiled before. Binaries and dashboards are the same bits.
func TestReleaseIsReproducible(t *testing.T) {
	here := release(t, root, "amd64 arm64")
	elsewhere := filepath.Join(t.TempDir(), "copy")
	copySources(t, elsewhere)
	// The tool for the bill of materials would be compiled anew as well, and takes longer than all else.
	there := release(t, elsewhere, "amd64", "CYCLONEDX=true", "GOCACHE="+t.TempDir())
	for _, name := range []string{service + "-linux-amd64", "grafana.tar.gz"} {
		if !bytes.Equal(read(t, filepath.Join(here, name)), read(t, filepath.Join(there, name))) {
			t.Errorf("two releases of the same sources have different %s", name)
		}
	}
	checkBinaries(t, here)
	checkSums(t, here)
	checkBill(t, here)
}

// copySources copies what git knows, or would, of the checkout.
func copySources(t *testing.T, to string) {
	t.Helper()
	const copying = `mkdir -p "$0" && git ls-files --cached --others --exclude-standard -z | xargs -0 tar -c -f - | tar -x -C "$0" -f -`
	command := exec.CommandContext(t.Context(), "sh", "-c", copying, to)
	command.Dir = root
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("copy the sources: %v\n%s", err, output)
	}
}

// checkBinaries sees that they are static, of their architecture, and say which they are.
func checkBinaries(t *testing.T, dist string) {
	t.Helper()
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		path := filepath.Join(dist, service+"-linux-"+arch)
		binary, err := elf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer binary.Close()
		if binary.Machine != machine {
			t.Errorf("%s is for %v", path, binary.Machine)
		}
		for _, part := range binary.Progs {
			if part.Type == elf.PT_INTERP {
				t.Errorf("%s needs a dynamic linker", path)
			}
		}
		if arch != runtime.GOARCH || runtime.GOOS != "linux" {
			continue
		}
		said, err := exec.CommandContext(t.Context(), path, "--version").Output()
		if err != nil || !strings.Contains(string(said), "v1.2.3") || !strings.Contains(string(said), "0123abc") {
			t.Errorf("--version says %q, %v", said, err)
		}
	}
}

// checkSums has SHA256SUMS checked by the tool for it.
func checkSums(t *testing.T, dist string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "sha256sum", "--check", "--strict", "SHA256SUMS")
	command.Dir = dist
	output, err := command.CombinedOutput()
	if err != nil || strings.Count(string(output), ": OK") != 4 {
		t.Errorf("%v: %v\n%s: want four files", command.Args, err, output)
	}
}

// checkBill sees that the bill of materials is one, and has what the services are made of.
func checkBill(t *testing.T, dist string) {
	t.Helper()
	var bill struct {
		Format     string `json:"bomFormat"`
		Components []struct{ Name string }
	}
	if err := json.Unmarshal(read(t, filepath.Join(dist, "fintrans.cdx.json")), &bill); err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, component := range bill.Components {
		names[component.Name] = true
	}
	if bill.Format != "CycloneDX" || !names["github.com/IBM/sarama"] {
		t.Errorf("the bill of materials is %s with %v", bill.Format, names)
	}
}
