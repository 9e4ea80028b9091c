package realinflux

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// Installed is the influxd of this machine: with Debian that is 1.6.
func Installed(context.Context) (string, error) {
	influxd, err := exec.LookPath("influxd")
	if err != nil {
		return "", errors.New("influxd is missing: install InfluxDB 1.x (Debian: the package influxdb; macOS: influxdb@1)")
	}
	return influxd, nil
}

// Newest is 1.8, compiled from its module the first time.
func Newest(ctx context.Context) (string, error) {
	newest.mu.Lock()
	defer newest.mu.Unlock()
	if newest.influxd != "" {
		return newest.influxd, nil
	}
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	influxd := filepath.Join(root, "build", "influxd-1.8")
	build := exec.CommandContext(ctx, "go", "build", "-o", influxd, "./influxd")
	build.Dir = root
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("compile InfluxDB 1.8: %w\n%s", err, output)
	}
	newest.influxd = influxd
	return influxd, nil
}

// newest is built once a run: the go command knows what is there already.
var newest struct {
	mu      sync.Mutex
	influxd string
}

// moduleRoot is the directory of this module: the next one upwards from the working directory that has the
// command, or has it in its folder test.
func moduleRoot() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		for _, module := range []string{dir, filepath.Join(dir, "test")} {
			if _, err := os.Stat(filepath.Join(module, "influxd", "main.go")); !errors.Is(err, fs.ErrNotExist) {
				return module, err
			}
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no folder from %s upwards has influxd/main.go", start)
		}
	}
}
