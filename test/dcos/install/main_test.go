// Package install_test drives install-fintrans.sh through the real dcos command against the stand-in cluster.
package install_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

const (
	// root is the checkout.
	root = "../../.."
	// cliVariable names the folder with the dcos command that test/dcos/cli/make.sh has made.
	cliVariable = "FINTRANS_DCOS_CLI"
	// distVariable names a folder with a release, made already, instead of making one.
	distVariable = "FINTRANS_DIST"
	// parallel cases wait for most of their time, but each launches a handful of processes.
	parallel = "4"
)

// made is what all tests share, made when it is first needed.
type made struct {
	dir     string // temporary
	standin func() (string, error)
	dist    func() (string, error)
}

var shared made

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	dir, err := os.MkdirTemp("", "fintrans-dcos-")
	if err == nil && !given {
		err = flag.Set("test.parallel", parallel)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	shared = made{dir: dir, standin: sync.OnceValues(buildStandin), dist: sync.OnceValues(release)}
	status := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return status
}

func buildStandin() (string, error) {
	binary := filepath.Join(shared.dir, "standin")
	output, err := exec.Command("go", "build", "-o", binary, "fintrans/test/dcos/cmd/standin").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the stand-in: %w\n%s", err, output)
	}
	return binary, nil
}

// release makes what the installer fetches, for the architecture of this machine's tasks.
func release() (string, error) {
	if dist := os.Getenv(distVariable); dist != "" {
		return dist, nil
	}
	dist := filepath.Join(shared.dir, "dist")
	command := exec.Command("make", "--no-print-directory", "release", "DIST="+dist, "RELEASE_ARCHS=amd64")
	command.Dir = root
	if output, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%v: %w\n%s", command.Args, err, output)
	}
	return dist, nil
}

// need returns what was made, and fails the test where it could not be.
func need(t testing.TB, thing func() (string, error)) string {
	t.Helper()
	path, err := thing()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// cli returns the folder of the dcos command. Without one the test is skipped, and fails in CI.
func cli(t testing.TB) string {
	t.Helper()
	folder := os.Getenv(cliVariable)
	if folder == "" {
		folder = filepath.Join(root, "test", "build", "dcos-cli")
	}
	folder, err := filepath.Abs(folder)
	if err == nil {
		_, err = os.Stat(filepath.Join(folder, "dcos"))
	}
	if errors.Is(err, os.ErrNotExist) && os.Getenv("CI") == "" {
		t.Skip("THERE IS NO dcos COMMAND, so nothing is tested: run 'make test-dcos', which makes it")
	}
	if err != nil {
		t.Fatalf("there is no dcos command: 'make test-dcos' makes it: %v", err)
	}
	return folder
}
