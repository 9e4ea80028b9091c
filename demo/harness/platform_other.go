//go:build !linux

package harness

import (
	"os"
	"syscall"
)

// rssUnit is the unit of the resident memory in rusage, in bytes.
const rssUnit = 1

// pipeSize is the size of pipes on the BSDs and macOS.
const pipeSize = 64 << 10

// shrinkPipe leaves the pipe as it is: more lines are needed to fill it.
func shrinkPipe(*os.File) error { return nil }

// bytesInPipe is the ioctl that asks how many bytes are there to read: FIONREAD of the BSDs and macOS.
const bytesInPipe = 0x4004667f

// diesWithTheTest would end the process when the test is killed; here it outlives that.
func diesWithTheTest() *syscall.SysProcAttr { return nil }
