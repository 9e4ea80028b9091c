package child

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"fintrans/demo/harness"
)

// TestMain is a parent as well, which starts a server and waits to be killed.
func TestMain(m *testing.M) {
	log := os.Getenv("PARENT_OF")
	if log == "" {
		os.Exit(m.Run())
	}
	p, err := Start(Command{Name: "server", Path: "/bin/sleep", Args: []string{"600"}, Log: log})
	if err != nil {
		_, _ = fmt.Fprintln(os.Stdout, err)
		os.Exit(1)
	}
	group, err := syscall.Getpgid(p.cmd.Process.Pid)
	_, _ = fmt.Fprintln(os.Stdout, p.cmd.Process.Pid, group, err)
	select {}
}

// TestKilledParentLeavesNoChild kills the parent of a server, which can do nothing for it any more.
func TestKilledParentLeavesNoChild(t *testing.T) {
	t.Parallel()
	parent := exec.Command(os.Args[0])
	parent.Env = []string{"PARENT_OF=" + filepath.Join(t.TempDir(), "log")}
	stdout, err := parent.StdoutPipe()
	if err == nil {
		err = parent.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(stdout).ReadString('\n')
	var server, group int
	if _, err := fmt.Sscan(line, &server, &group); err != nil {
		t.Fatalf("the parent says %q: %v", line, err)
	}
	if group != server {
		t.Errorf("server %d is of the process group %d, want its own: a Ctrl-C would end it", server, group)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // it was killed
	harness.Eventually(t, func() (bool, string) {
		err := syscall.Kill(server, 0)
		return errors.Is(err, syscall.ESRCH) || zombie(server), fmt.Sprintf("server %d is still there: %v", server, err)
	})
}

// zombie says whether the process is dead and only nobody has asked how it ended.
func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	var id int
	var name, state string
	_, err = fmt.Sscan(string(stat), &id, &name, &state)
	return err == nil && state == "Z"
}
