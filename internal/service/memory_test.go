package service

import (
	"testing"
	"testing/fstest"
)

func TestCgroupLimit(t *testing.T) {
	t.Parallel()
	const v2, v1 = "sys/fs/cgroup/", "sys/fs/cgroup/memory/"
	tests := []struct {
		name  string
		files map[string]string
		want  int64
	}{
		{"no control groups", nil, noLimit},
		{"garbage", map[string]string{"proc/self/cgroup": "\n::\n0:x\n"}, noLimit},
		{"v2 container", map[string]string{"proc/self/cgroup": "0::/\n", v2 + "memory.max": "134217728\n"}, 128 << 20},
		{"v2 without limit", map[string]string{"proc/self/cgroup": "0::/a\n", v2 + "a/memory.max": "max\n"}, noLimit},
		{"v2 limit of a parent", map[string]string{
			"proc/self/cgroup": "0::/a/b/c\n", v2 + "a/memory.max": "1000000\n",
			v2 + "a/b/memory.max": "2000000\n", v2 + "a/b/c/memory.max": "max\n",
		}, 1_000_000},
		{"v2 path of the host", map[string]string{"proc/self/cgroup": "0::/docker/4f\n", v2 + "memory.max": "1000000\n"}, 1_000_000},
		{"v2 path outside the namespace", map[string]string{"proc/self/cgroup": "0::/../x\n", v2 + "memory.max": "1000000\n"}, 1_000_000},
		{"v1", map[string]string{
			"proc/self/cgroup": "12:pids:/x\n4:cpu,memory:/m/7\n1:name=systemd:/\n", v1 + "m/7/memory.limit_in_bytes": "5000000\n",
		}, 5_000_000},
		{"v1 path of the host", map[string]string{"proc/self/cgroup": "4:memory:/mesos/1\n", v1 + "memory.limit_in_bytes": "5000000\n"}, 5_000_000},
		{"v1 without limit", map[string]string{"proc/self/cgroup": "4:memory:/\n", v1 + "memory.limit_in_bytes": "9223372036854771712\n"}, noLimit},
		{"both, v1 holds memory", map[string]string{
			"proc/self/cgroup": "4:memory:/m\n0::/u\n", v1 + "m/memory.limit_in_bytes": "5000000\n",
		}, 5_000_000},
		{"number that does not fit", map[string]string{"proc/self/cgroup": "0::/\n", v2 + "memory.max": "99999999999999999999\n"}, noLimit},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			root := fstest.MapFS{}
			for name, content := range tt.files {
				root[name] = &fstest.MapFile{Data: []byte(content)}
			}
			if got := cgroupLimit(root); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestMemoryReading(t *testing.T) {
	t.Parallel()
	reading := readMemory()
	if reading.used <= 0 || reading.kept <= 0 || reading.kept > reading.used {
		t.Errorf("got %+v, want 0 < kept <= used", reading)
	}
	if MemoryUsed() <= 0 || MemoryLimit() < 0 {
		t.Errorf("used %d of %d", MemoryUsed(), MemoryLimit())
	}
}
