//go:build !linux

package supervise

import "syscall"

// attributes puts the child into a process group of its own, so that a Ctrl-C reaches the supervisor
// alone. Only Linux can end it when the supervisor is killed.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
