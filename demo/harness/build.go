package harness

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// BinariesVariable names a directory with the services, built already, instead of building them.
const BinariesVariable = "FINTRANS_BINARIES"

// built are the services of this checkout that were needed so far.
var built struct {
	mu   sync.Mutex
	dir  string
	errs map[string]error // of their builds, by service; nil for those that are there
}

// parallel is how many cases run at once. They wait for most of their time: for heartbeats, commits
// and batches, not for a processor.
const parallel = "8"

// Main runs the tests of a package, many at once unless -parallel says how many, and removes what was
// built for them:
//
//	func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
func Main(m *testing.M) int {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		if err := flag.Set("test.parallel", parallel); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	status := m.Run()
	built.mu.Lock()
	defer built.mu.Unlock()
	if built.dir != "" {
		if err := os.RemoveAll(built.dir); err != nil {
			fmt.Fprintf(os.Stderr, "remove the services that were built: %v\n", err)
			return 1
		}
	}
	return status
}

// Binaries returns the directory with the service's binary, which is built with the race detector
// when it is first needed in a test run, unless BinariesVariable names a directory.
func Binaries(t testing.TB, service string) string {
	t.Helper()
	if dir := os.Getenv(BinariesVariable); dir != "" {
		return dir
	}
	built.mu.Lock()
	defer built.mu.Unlock()
	if built.dir == "" {
		dir, err := os.MkdirTemp("", "fintrans-services-") //nolint:usetesting // it serves all tests of the run
		if err != nil {
			t.Fatal(err)
		}
		built.dir, built.errs = dir, map[string]error{}
	}
	err, done := built.errs[service]
	if !done {
		err = build(built.dir, service)
		built.errs[service] = err
	}
	if err != nil {
		t.Fatal(err)
	}
	return built.dir
}

// Mutation replaces a text, which occurs exactly once in the file, by another: a fault put into the
// code to see whether the tests notice.
type Mutation struct {
	File string // path below the checkout's root, with slashes
	Old  string
	New  string
}

// FastMutant is Mutant without the race detector, built as `make build` does: for what takes too long with it.
// Without mutations it is the service itself.
func FastMutant(t testing.TB, service string, mutations ...Mutation) string {
	t.Helper()
	dir := t.TempDir()
	overlay, err := writeOverlay(dir, mutations)
	if err == nil {
		err = buildIn([]string{"CGO_ENABLED=0"}, dir, service, "-race=false", "-trimpath", "-overlay", overlay)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// Mutant builds a service from mutated sources and returns the directory with its binary. The
// sources themselves stay as they are. It fails the test when a text is not found exactly once.
func Mutant(t testing.TB, service string, mutations ...Mutation) string {
	t.Helper()
	dir := t.TempDir()
	overlay, err := writeOverlay(dir, mutations)
	if err == nil {
		err = build(dir, service, "-overlay", overlay)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// writeOverlay writes the mutated files into dir, and the JSON file that the go command wants.
func writeOverlay(dir string, mutations []Mutation) (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for i, m := range mutations {
		original := filepath.Join(root, filepath.FromSlash(m.File))
		source := original
		if earlier, ok := overlay.Replace[original]; ok {
			source = earlier // a second mutation of the same file
		}
		text, err := os.ReadFile(source)
		if err != nil {
			return "", fmt.Errorf("mutation: %w", err)
		}
		if n := strings.Count(string(text), m.Old); n != 1 {
			return "", fmt.Errorf("mutation: %s has this text %d times, want once: the code has changed, adapt the mutation:\n%s", m.File, n, m.Old)
		}
		mutated := filepath.Join(dir, fmt.Sprintf("mutated-%d.go", i))
		if err := os.WriteFile(mutated, []byte(strings.Replace(string(text), m.Old, m.New, 1)), 0o600); err != nil {
			return "", err
		}
		overlay.Replace[original] = mutated
	}
	encoded, err := json.Marshal(overlay)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, encoded, 0o600)
}

// build builds a service into dir, with the race detector.
func build(dir, service string, flags ...string) error {
	return buildIn(nil, dir, service, flags...)
}

// buildIn is build with some more variables in the environment.
func buildIn(environment []string, dir, service string, flags ...string) error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	// Without the tables of debuggers a binary is linked in half the time, and there are dozens of mutants.
	args := append([]string{"build", "-race", "-ldflags=-s -w", "-o", filepath.Join(dir, service)}, flags...)
	command := exec.Command("go", append(args, "./"+service)...)
	command.Dir = root
	command.Env = append(os.Environ(), environment...)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%v in %s: %w\n%s", command.Args, root, err, output)
	}
	return nil
}

// moduleRoot is the directory of the module fintrans, which the tests' own module lies in.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for start := dir; ; dir = filepath.Dir(dir) {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		for line := range strings.Lines(string(text)) {
			if strings.TrimSpace(line) == "module fintrans" {
				return dir, nil
			}
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no folder from %s upwards has the go.mod of module fintrans", start)
		}
	}
}
