package service

import (
	"io/fs"
	"math"
	"os"
	"path"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/sirupsen/logrus"
)

const (
	noLimit = math.MaxInt64
	// cgroup v1 has no word for 'no limit': it is a number of this order.
	unlimited = 1 << 60
	// heapPercent of the control group's limit is what the Go runtime is asked to stay below; the rest is
	// for what it does not count.
	heapPercent = 90
)

// ownHeapLimit is the soft limit that limitHeap has set; MemoryLimit must not take it for GOMEMLIMIT.
var ownHeapLimit atomic.Int64

// MemoryLimit is the memory in bytes that the process may use: the smaller of GOMEMLIMIT and the limits of
// its control groups; 0 if there is none.
func MemoryLimit() int64 {
	soft := debug.SetMemoryLimit(-1)
	if soft == ownHeapLimit.Load() {
		soft = noLimit
	}
	if limit := min(soft, cgroupLimit(os.DirFS("/"))); limit != noLimit {
		return limit
	}
	return 0
}

// limitHeap makes the Go runtime collect garbage in time to stay within the control group's limit, unless
// GOMEMLIMIT says otherwise.
func limitHeap(log *logrus.Logger, environ func(string) (string, bool)) {
	limit := cgroupLimit(os.DirFS("/"))
	if limit == noLimit || lookup(environ, "GOMEMLIMIT") != "" {
		return
	}
	soft := limit / 100 * heapPercent
	ownHeapLimit.Store(soft)
	debug.SetMemoryLimit(soft)
	log.WithFields(logrus.Fields{"bytes": soft, "cgroup_bytes": limit}).Info("heap limit set below the control group's")
}

// cgroupLimit is the smallest memory limit of the process's control groups, v2 and v1; noLimit if there is none.
func cgroupLimit(root fs.FS) int64 {
	groups, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return noLimit
	}
	limit := int64(noLimit)
	for line := range strings.Lines(string(groups)) {
		// hierarchy:controllers:path, with 0 and no controllers for v2
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		switch {
		case len(fields) != 3:
		case fields[0] == "0" && fields[1] == "":
			limit = min(limit, smallestLimit(root, "sys/fs/cgroup", fields[2], "memory.max"))
		case strings.Contains(","+fields[1]+",", ",memory,"):
			limit = min(limit, smallestLimit(root, "sys/fs/cgroup/memory", fields[2], "memory.limit_in_bytes"))
		}
	}
	return limit
}

// smallestLimit reads file in group and all groups above it. Groups that are not visible from inside a container do
// not matter: its own is then mounted at the top.
func smallestLimit(root fs.FS, mount, group, file string) int64 {
	limit := int64(noLimit)
	for group = path.Clean("/" + group); ; group = path.Dir(group) {
		if text, err := fs.ReadFile(root, path.Join(mount, group, file)); err == nil {
			limit = min(limit, parseLimit(string(text)))
		}
		if group == "/" {
			return limit
		}
	}
}

func parseLimit(text string) int64 {
	limit, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64) // "max" is an error
	if err != nil || limit <= 0 || limit >= unlimited {
		return noLimit
	}
	return limit
}

// MemoryUsed is the memory in bytes that the Go runtime holds of the system: mapped and not released.
func MemoryUsed() int64 { return readMemory().used }

// memoryReading is how much memory the process holds, and how much of it would stay after a collection as far
// as the last one can tell.
type memoryReading struct{ used, kept int64 }

func readMemory() memoryReading {
	samples := []metrics.Sample{
		{Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/gc/heap/live:bytes"},
	}
	metrics.Read(samples)
	value := func(i int) int64 { return int64(samples[i].Value.Uint64()) }
	used := value(0) - value(1)
	garbage := max(0, value(3)-value(4))
	return memoryReading{used: used, kept: used - value(2) - garbage}
}
