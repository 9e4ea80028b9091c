package supervise

import "syscall"

// attributes puts the child into a process group of its own, so that a Ctrl-C reaches the supervisor
// alone, and has the kernel kill it when the supervisor is killed and can end nothing any more.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
