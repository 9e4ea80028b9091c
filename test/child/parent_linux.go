package child

import (
	"os/exec"
	"syscall"
)

// endWithParent has the kernel end the child when a test run is killed or panics on its timeout. The child is in a
// process group of its own: a Ctrl-C reaches the parent alone, which may want to end in an orderly way.
func endWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
