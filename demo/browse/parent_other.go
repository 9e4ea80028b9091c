//go:build !linux

package browse

import "os/exec"

// endWithParent would end the process when this one is killed; here it outlives that.
func endWithParent(*exec.Cmd) {}
