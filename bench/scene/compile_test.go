package scene_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"fintrans/bench/scene"
)

// What is compiled into the services for a profile must get along with what they have themselves.
func TestTheServicesCanBeProfiled(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	s := &scene.Scene{Root: root, Binaries: t.TempDir(), Profiles: t.TempDir(), Progress: io.Discard}
	if err := s.Compile(t.Context()); err != nil {
		t.Fatal(err)
	}
	profile := filepath.Join(s.Profiles, "detector.pprof")
	if err := scene.Run(t.Context(), root, []string{"BENCH_CPU_PROFILE=" + profile}, filepath.Join(s.Binaries, scene.Detector), "--version"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(profile); err != nil {
		t.Errorf("no profile was begun: %v", err)
	}
}
