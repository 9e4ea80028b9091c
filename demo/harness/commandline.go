package harness

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// CommandLine returns what process lists show of the running process: its program and arguments.
func (p *Process) CommandLine() string {
	p.t.Helper()
	pid := strconv.Itoa(p.current().command.Process.Pid)
	text, err := os.ReadFile("/proc/" + pid + "/cmdline")
	if errors.Is(err, fs.ErrNotExist) { // macOS has no /proc
		text, err = exec.Command("ps", "-ww", "-o", "args=", "-p", pid).Output()
	}
	if err != nil {
		p.t.Fatal(fmt.Errorf("command line of %v: %w", p, err))
	}
	return strings.TrimSpace(strings.ReplaceAll(string(text), "\x00", " "))
}
