package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"fintrans/bench/measure"
	"fintrans/bench/report"
	"fintrans/bench/scene"
)

// perform runs the cases and writes what they find: all of it to stdout in the end, also when a case has failed.
func perform(ctx context.Context, cfg config, stdout, stderr io.Writer) error {
	root, err := checkout()
	if err != nil {
		return err
	}
	results, err := filepath.Abs(cfg.Results)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(results, 0o755); err != nil {
		return fmt.Errorf("RESULTS: %w", err)
	}
	s, remove, err := newScene(cfg, root, stderr)
	if err != nil {
		return err
	}
	defer remove()
	if err := s.Compile(ctx); err != nil {
		return err
	}
	host, err := machine(root)
	if err != nil {
		return err
	}
	whole := report.Report{Command: cfg.command(cfg.Only...), Machine: host}
	failed := runCases(ctx, cfg, s, results, &whole)
	if len(whole.Sections) == 0 {
		return failed
	}
	if _, err := io.WriteString(stdout, whole.String()); err != nil {
		return err
	}
	s.Say("written to %s", results)
	return failed
}

// runCases adds to the whole what each case has found, and writes it to a file of its own.
func runCases(ctx context.Context, cfg config, s *scene.Scene, results string, whole *report.Report) error {
	for _, c := range cfg.chosen() {
		start := time.Now()
		s.Say("== %s: %s", c.Name, c.About)
		outcome, err := c.Run(ctx, s)
		if err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
		s.Say("== %s took %s", c.Name, time.Since(start).Round(time.Second))
		whole.Sections = append(whole.Sections, outcome.Section)
		whole.Targets = append(whole.Targets, outcome.Targets...)
		own := report.Report{
			Command: cfg.command(c.Name), Machine: whole.Machine,
			Sections: []report.Section{outcome.Section}, Targets: outcome.Targets,
		}
		if err := os.WriteFile(filepath.Join(results, c.Name+".md"), []byte(own.String()), 0o644); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	}
	return nil
}

// newScene prepares the folders. What it returns last removes those that are not to stay.
func newScene(cfg config, root string, stderr io.Writer) (*scene.Scene, func(), error) {
	binaries, err := os.MkdirTemp("", "fintrans-bench-")
	if err != nil {
		return nil, nil, err
	}
	remove := func() { _ = os.RemoveAll(binaries) } // in the folder for temporary files
	s := &scene.Scene{
		Root: root, Binaries: binaries, Build: filepath.Join(root, "bench", "build"),
		Rounds: int(cfg.Rounds), Records: int64(cfg.Records), Progress: stderr, Idle: measure.AwaitIdle,
	}
	if err := os.MkdirAll(s.Build, 0o755); err != nil {
		return nil, remove, err
	}
	if cfg.Profile != "" {
		if s.Profiles, err = filepath.Abs(cfg.Profile); err != nil {
			return nil, remove, err
		}
		if err := os.MkdirAll(s.Profiles, 0o755); err != nil {
			return nil, remove, err
		}
	}
	return s, remove, nil
}
