package browse

import (
	"os/exec"
	"syscall"
)

// endWithParent ends the process also when this one is killed, and closes nothing.
func endWithParent(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
}
