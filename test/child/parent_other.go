//go:build !linux

package child

import "os/exec"

// endWithParent does nothing: only Linux can tie a child to its parent.
func endWithParent(*exec.Cmd) {}
