package service

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestBuild(t *testing.T) {
	t.Parallel()
	recorded := &debug.BuildInfo{
		Main:     debug.Module{Version: "v1.0.0"},
		Settings: []debug.BuildSetting{{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: "abc"}},
	}
	tests := []struct {
		name            string
		version, commit string
		info            *debug.BuildInfo
		want            Build
	}{
		{"linker", "v2.0.0", "def", recorded, Build{"v2.0.0", "def", runtime.Version()}},
		{"toolchain", "", "", recorded, Build{"v1.0.0", "abc", runtime.Version()}},
		{"nothing", "", "", nil, Build{"(devel)", "unknown", runtime.Version()}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := buildFrom(tt.version, tt.commit, tt.info); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
	if got, want := versionLine("generator", Build{"v1", "abc", "go1"}), "generator v1 (commit abc, go1)\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
