package service

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
)

// Version and Commit are set by the linker:
// -ldflags "-X fintrans/internal/service.Version=... -X fintrans/internal/service.Commit=...".
// Without, CurrentBuild takes what the Go toolchain has recorded.
var (
	Version string
	Commit  string
)

// Build says which build of the program this is.
type Build struct {
	Version string // e.g. v1.2.0
	Commit  string // of git
	Go      string // version of the toolchain
}

// CurrentBuild is the build of the running program.
var CurrentBuild = sync.OnceValue(func() Build {
	info, _ := debug.ReadBuildInfo()
	return buildFrom(Version, Commit, info)
})

// buildFrom completes version and commit from info, which may be nil.
func buildFrom(version, commit string, info *debug.BuildInfo) Build {
	var recordedVersion, recordedCommit string
	if info != nil {
		recordedVersion = info.Main.Version
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				recordedCommit = setting.Value
			}
		}
	}
	return Build{
		Version: cmp.Or(version, recordedVersion, "(devel)"),
		Commit:  cmp.Or(commit, recordedCommit, "unknown"),
		Go:      runtime.Version(),
	}
}

func versionLine(name string, build Build) string {
	return fmt.Sprintf("%s %s (commit %s, %s)\n", name, build.Version, build.Commit, build.Go)
}
