// Generate writes the dashboards and provisioning files of grafana/, for Grafana 5.0 to 8.2 and for Grafana from
// 8.3 on, from one description: what Grafana migrates when it loads an old file loses the links. With -check it
// writes nothing and fails where a file differs.
//
//	go run ./grafana/generate [-check] [folder]
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

func main() { os.Exit(run(os.Args[1:], os.Stderr)) }

func run(args []string, stderr io.Writer) int {
	flags := flag.NewFlagSet("generate", flag.ContinueOnError)
	flags.SetOutput(stderr)
	check := flags.Bool("check", false, "write nothing; fail where a file differs")
	if err := flags.Parse(args); err != nil || flags.NArg() > 1 {
		_, _ = fmt.Fprintln(stderr, "usage: generate [-check] [folder]")
		return 2
	}
	folder := "grafana"
	if flags.NArg() == 1 {
		folder = flags.Arg(0)
	}
	if err := generate(folder, *check); err != nil {
		_, _ = fmt.Fprintln(stderr, "generate:", err)
		return 1
	}
	return 0
}

// generate writes or checks all files.
func generate(folder string, check bool) error {
	files, err := contents()
	if err != nil {
		return err
	}
	var failed []error
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if check {
			failed = append(failed, same(path, files[name]))
		} else {
			failed = append(failed, write(path, files[name]))
		}
	}
	if check {
		failed = append(failed, strangers(folder, files))
	}
	return errors.Join(failed...)
}

// contents returns all files by their names.
func contents() (map[string][]byte, error) {
	files := map[string][]byte{
		"provisioning/5/datasources/fintrans.yaml":       []byte(dataSource5()),
		"provisioning/5/dashboards/fintrans.yaml":        []byte(provider("5")),
		"provisioning/current/datasources/fintrans.yaml": []byte(dataSourceNow()),
		"provisioning/current/dashboards/fintrans.yaml":  []byte(provider("current")),
	}
	for _, d := range []dashboard{fintransDashboard, transfers, pipelineDashboard} {
		for kind, rendered := range map[string]any{"5": render5(d), "current": renderNow(d)} {
			text, err := encode(rendered)
			if err != nil {
				return nil, fmt.Errorf("dashboard %q: %w", d.title, err)
			}
			files["dashboards/"+kind+"/"+d.file()] = text
		}
	}
	return files, nil
}

func encode(value any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(value)
	return text.Bytes(), err
}

func write(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}

func same(path string, want []byte) error {
	got, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("%s differs from its source: run 'go run ./grafana/generate'", path)
	}
	return nil
}

// strangers complains of files beside the generated ones: Grafana would load them too.
func strangers(folder string, files map[string][]byte) error {
	var failed []error
	for _, name := range []string{"dashboards", "provisioning"} {
		failed = append(failed, filepath.WalkDir(filepath.Join(folder, name), func(path string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			relative, err := filepath.Rel(folder, path)
			if err != nil {
				return err
			}
			if _, ok := files[filepath.ToSlash(relative)]; !ok {
				return fmt.Errorf("%s is not made by grafana/generate", path)
			}
			return nil
		}))
	}
	return errors.Join(failed...)
}
