package realkafka

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// copyDependencies is the goal of Maven that fetches what a pom names, pinned like everything else.
const copyDependencies = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"

// fetching is held while jars are looked for or fetched: of those that want the same ones, one fetches them, and one
// Maven at a time writes to the repository that all of them share.
var fetching sync.Mutex

// fetchTries is how often Maven is started for the same jars: a registry may not answer for a moment.
const fetchTries = 3

// library returns the directory with the jars of the generation. It fetches them the first time, and
// again when the pom has changed.
func (g Generation) library(ctx context.Context) (string, error) {
	root, err := g.root()
	if err != nil {
		return "", err
	}
	return Jars(ctx, filepath.Join(root, g.pom, "pom.xml"), filepath.Join(root, "build"))
}

// Jars returns the directory below folder with the jars that a pom.xml names, and what those need. It fetches
// them the first time, and again when the pom has changed.
func Jars(ctx context.Context, pom, folder string) (string, error) {
	text, err := os.ReadFile(pom)
	if err != nil {
		return "", err
	}
	fetching.Lock()
	defer fetching.Unlock()
	name := filepath.Base(filepath.Dir(pom))
	library := filepath.Join(folder, fmt.Sprintf("%s-%x", name, sha256.Sum256(text))[:len(name)+13])
	if _, err := os.Stat(library); !errors.Is(err, fs.ErrNotExist) {
		return library, err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	return library, fetch(ctx, pom, folder, library)
}

// fetch fills a directory beside the library and moves it there when it is complete: an interrupted
// download leaves no library, and of two at the same time one is used.
func fetch(ctx context.Context, pom, folder, library string) error {
	mvn, err := exec.LookPath("mvn")
	if err != nil {
		return errors.New("Maven fetches Apache Kafka and is missing: install it (Debian and macOS: the package maven)") //nolint:staticcheck // a name
	}
	partial, err := os.MkdirTemp(folder, "partial-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(partial) //nolint:errcheck // what is left of it is ignored, and removed by `make clean`
	for try := 1; ; try++ {
		// -U has it ask again for what it has noted as not there.
		cmd := exec.CommandContext(ctx, mvn, "-q", "-B", "-ntp", "-U", "-f", pom, copyDependencies, "-DoutputDirectory="+partial)
		output, err := cmd.CombinedOutput()
		if err == nil {
			break
		}
		if try == fetchTries || ctx.Err() != nil {
			return fmt.Errorf("fetch the jars that %s names: %w\n%s", pom, err, output)
		}
	}
	if err := os.Chmod(partial, 0o755); err != nil {
		return err
	}
	if err := os.Rename(partial, library); err != nil {
		if _, there := os.Stat(library); there == nil {
			return nil
		}
		return err
	}
	return nil
}

// root is the directory of this module: the next one upwards from the working directory that has the pom, or
// has it in its folder test.
func (g Generation) root() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		for _, module := range []string{dir, filepath.Join(dir, "test")} {
			if _, err := os.Stat(filepath.Join(module, g.pom, "pom.xml")); err == nil {
				return module, nil
			}
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no folder from %s upwards has %s/pom.xml", start, g.pom)
		}
	}
}

// FindJava is the command that runs brokers.
func FindJava() (string, error) {
	if home := os.Getenv("JAVA_HOME"); home != "" {
		return filepath.Join(home, "bin", "java"), nil
	}
	java, err := exec.LookPath("java")
	if err != nil {
		return "", errors.New("Java 17 or later runs Apache Kafka and is missing: install it (Debian: the package openjdk-17-jre-headless), or set JAVA_HOME") //nolint:staticcheck // a name
	}
	return java, nil
}
