package scene

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// App is what the Marathon app of a service says of the memory.
type App struct {
	Memory      int64    // bytes that it may use
	Environment []string // NAME=value of what the Go runtime is told
}

// App reads the Marathon app of a service.
func (s *Scene) App(service string) (App, error) {
	path := filepath.Join(s.Root, "marathon", service+".json")
	text, err := os.ReadFile(path)
	if err != nil {
		return App{}, err
	}
	var app struct {
		Mem int64             `json:"mem"` // MiB
		Env map[string]string `json:"env"`
	}
	if err := json.Unmarshal(text, &app); err != nil {
		return App{}, fmt.Errorf("%s: %w", path, err)
	}
	const limit = "GOMEMLIMIT"
	return App{Memory: app.Mem << 20, Environment: []string{limit + "=" + app.Env[limit]}}, nil
}
