package browse

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"fintrans/demo/dashboards"
)

// errNone is the error where the PATH has no Grafana.
var errNone = errors.New("no grafana and no grafana-server on the PATH")

// executable is a Grafana that can be started.
type executable struct {
	path    string
	args    []string // before the options
	home    string   // its own files
	version string
	kind    dashboards.Kind
}

// find looks for a Grafana on the PATH.
func find(ctx context.Context) (executable, error) {
	for _, name := range []string{"grafana", "grafana-server"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		e := executable{path: path}
		if name == "grafana" {
			e.args = []string{"server"} // the binary of Grafana 9.4 and later, which is also its command line
		}
		return e.inspect(ctx)
	}
	return executable{}, errNone
}

var versionNumber = regexp.MustCompile(`\b(\d+)\.(\d+)\.\d+`)

// inspect asks the executable for its version and looks for its files.
func (e executable) inspect(ctx context.Context) (executable, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	output, err := exec.CommandContext(ctx, e.path, "-v").Output()
	if err != nil {
		return e, fmt.Errorf("%s -v does not tell a version: %w", e.path, err)
	}
	found := versionNumber.FindStringSubmatch(string(output))
	if found == nil {
		return e, fmt.Errorf("%s -v does not tell a version but %.80q", e.path, output)
	}
	e.version = found[0]
	major, _ := strconv.Atoi(found[1]) // digits
	minor, _ := strconv.Atoi(found[2])
	switch {
	case major < 5:
		return e, fmt.Errorf("%s is Grafana %s, the dashboards need 5.0 or later", e.path, e.version)
	case major < 8 || major == 8 && minor < 3:
		e.kind = dashboards.Grafana5
	default:
		e.kind = dashboards.Current
	}
	e.home, err = home(e.path)
	return e, err
}

// home returns the folder of Grafana's own files, where the archives and the packages have it.
func home(path string) (string, error) {
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	prefix := filepath.Dir(filepath.Dir(resolved))
	for _, folder := range []string{
		prefix, filepath.Join(prefix, "share", "grafana"), "/usr/share/grafana", "/opt/homebrew/share/grafana", "/usr/local/share/grafana",
	} {
		if _, err := os.Stat(filepath.Join(folder, "conf", "defaults.ini")); err == nil {
			return folder, nil
		}
	}
	return "", fmt.Errorf("the files of %s (conf/defaults.ini) are neither beside it nor in /usr/share/grafana", path)
}
