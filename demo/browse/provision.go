package browse

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"fintrans/demo/dashboards"
	"fintrans/grafana"
)

// What the provisioning files say of a place that is another one here.
const (
	fileInflux     = "http://localhost:8086"
	fileDashboards = "/etc/grafana/fintrans/dashboards/"
)

// provision copies the provisioning files and the dashboards of the kind into the folder, with this InfluxDB and
// this folder in place of those that the files name.
func provision(dir string, kind dashboards.Kind, influx dashboards.Influx) error {
	boards := filepath.Join(dir, "dashboards")
	if err := copyFiles(path.Join("dashboards", string(kind)), boards, nil); err != nil {
		return err
	}
	// Quoted: a folder may have a colon or a space in its name.
	replace := map[string]string{
		"url: " + fileInflux:                     fmt.Sprintf("url: %q", influx.URL),
		"path: " + fileDashboards + string(kind): fmt.Sprintf("path: %q", boards),
	}
	return copyFiles(path.Join("provisioning", string(kind)), filepath.Join(dir, "provisioning"), replace)
}

// copyFiles copies a folder of grafana/. Each text to replace has to be there once.
func copyFiles(from, to string, replace map[string]string) error {
	seen := map[string]int{}
	err := fs.WalkDir(grafana.Files, from, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := grafana.Files.ReadFile(name)
		if err != nil {
			return err
		}
		changed := string(text)
		for before, after := range replace {
			seen[before] += strings.Count(changed, before)
			changed = strings.ReplaceAll(changed, before, after)
		}
		target := filepath.Join(to, filepath.FromSlash(strings.TrimPrefix(name, from+"/")))
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		return os.WriteFile(target, []byte(changed), 0o644)
	})
	if err != nil {
		return err
	}
	for before := range replace {
		if seen[before] != 1 {
			return fmt.Errorf("grafana/%s has %q %d times, expected once", from, before, seen[before])
		}
	}
	return nil
}
