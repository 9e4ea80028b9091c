package child

import (
	"os/exec"
	"syscall"
)

// endWithParent has the kernel end the child when a test run is killed or panics on its timeout.
func endWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
