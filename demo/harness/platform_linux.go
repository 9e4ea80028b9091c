package harness

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// rssUnit is the unit of the resident memory in rusage, in bytes.
const rssUnit = 1024

// pipeSize is the size of the pipe of a stdout that is held: as small as the kernel allows.
var pipeSize = os.Getpagesize()

// shrinkPipe makes the pipe that small, so that few lines fill it.
func shrinkPipe(end *os.File) error {
	conn, err := end.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := conn.Control(func(fd uintptr) {
		_, failed = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, pipeSize)
	}); err != nil {
		return err
	}
	if failed != nil {
		return fmt.Errorf("shrink the pipe of stdout: %w", failed)
	}
	return nil
}

// bytesInPipe is the ioctl that asks how many bytes are there to read.
const bytesInPipe = unix.TIOCINQ

// diesWithTheTest ends the process also when the test itself is killed, and runs no cleanup.
func diesWithTheTest() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
