//go:build linux

package measure

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// attributes has the kernel kill the child when the bench is killed and can end nothing any more.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// cpuTime reads the processor-time clock of a process, all threads together: to the nanosecond, where /proc has
// hundredths of a second.
func cpuTime(pid int) (time.Duration, error) {
	const schedulerClock = 2 // CPUCLOCK_SCHED
	var used unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|schedulerClock), &used); err != nil {
		return 0, fmt.Errorf("processor time of process %d: %w", pid, err)
	}
	return time.Duration(used.Nano()), nil
}

// peakAtEnd is the peak of the resident memory of a process that has ended; 0 where that is not known. The kernel
// begins it with what the process was before it ran the program: this one.
func peakAtEnd(state *os.ProcessState) int64 {
	own, err := statusBytes(os.Getpid(), "VmHWM")
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if err != nil || !ok || usage.Maxrss<<10 <= own {
		return 0
	}
	return usage.Maxrss << 10
}

// statusBytes reads a line in kB of /proc/PID/status.
func statusBytes(pid int, name string) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, found := strings.CutPrefix(line, name+":"); found {
			kilobytes, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, fmt.Errorf("/proc/%d/status has no line %s: the process has ended", pid, name)
}

// idleTime is for how long the machine's processors had nothing to do and waited for no disk, all of them together, and how
// many they are: proc_stat(5).
func idleTime() (idle time.Duration, processors int, err error) {
	const path, tick, column = "/proc/stat", time.Second / 100, 4
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) <= column || !strings.HasPrefix(fields[0], "cpu") {
			continue
		}
		if fields[0] != "cpu" {
			processors++
			continue
		}
		ticks, err := strconv.ParseInt(fields[column], 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("%s: %w", path, err)
		}
		idle = time.Duration(ticks) * tick
	}
	if processors == 0 {
		return 0, 0, fmt.Errorf("%s names no processor", path)
	}
	return idle, processors, nil
}
