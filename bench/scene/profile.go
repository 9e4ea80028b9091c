package scene

import (
	_ "embed"
	"encoding/json"
	"os"
	"path/filepath"
)

// profiler is put into a service's main package when its processor time is to be profiled. The services themselves
// have no setting for it.
//
//go:embed profiler.go.txt
var profiler []byte

// overlay writes what the go command needs to build the service in folder with the profiler in it, and returns the
// path of that.
func (s *Scene) overlay(folder string) (string, error) {
	source := filepath.Join(s.Binaries, "profiler.go")
	if err := os.WriteFile(source, profiler, 0o600); err != nil {
		return "", err
	}
	replace := struct{ Replace map[string]string }{map[string]string{
		filepath.Join(s.Root, folder, "profiler_of_the_bench.go"): source,
	}}
	text, err := json.Marshal(replace)
	if err != nil {
		return "", err
	}
	path := filepath.Join(s.Binaries, "overlay.json")
	return path, os.WriteFile(path, text, 0o600)
}
