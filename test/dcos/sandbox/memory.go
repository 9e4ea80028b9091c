package sandbox

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// memory is the resident memory in bytes of a process and its children, as far as they can be read.
func memory(pid int) int64 {
	total := int64(0)
	if text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid)); err == nil {
		if fields := strings.Fields(string(text)); len(fields) > 2 {
			pages, _ := strconv.ParseInt(fields[1], 10, 64)
			shared, _ := strconv.ParseInt(fields[2], 10, 64) // pages of files: the kernel can drop them
			total += (pages - shared) * int64(os.Getpagesize())
		}
	}
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return total
	}
	for child := range strings.FieldsSeq(string(children)) {
		if id, err := strconv.Atoi(child); err == nil {
			total += memory(id)
		}
	}
	return total
}
