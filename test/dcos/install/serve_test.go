package install_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"fintrans/test/child"
)

// TestServe installs from a checkout's own dist/, and ends well when it is told to.
func TestServe(t *testing.T) {
	t.Parallel()
	c := start(t)
	checkout := t.TempDir()
	whole, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{
		"install-fintrans.sh": whole + "/install-fintrans.sh", "marathon": whole + "/marathon", "grafana": whole + "/grafana", "dist": need(t, shared.dist),
	} {
		if err := os.Symlink(target, filepath.Join(checkout, name)); err != nil {
			t.Fatal(err)
		}
	}
	ports, err := child.FreePorts(1) // which stays free until the installer gets so far
	if err != nil {
		t.Fatal(err)
	}
	at := fmt.Sprintf("127.0.0.1:%d", ports[0])
	other, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	taken := c.command(checkout+"/install-fintrans.sh", "--serve="+at)
	taken.Dir = checkout
	c.run(taken).expect(t, 3, "--serve=HOST:PORT")
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}

	command := c.command(checkout+"/install-fintrans.sh", "--serve="+at)
	command.Dir = checkout
	stdout, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	served := false
	lines := bufio.NewScanner(stdout)
	for !served && lines.Scan() {
		said = append(said, lines.Text())
		served = strings.HasPrefix(lines.Text(), "Serving dist/ at http://"+at+" until Ctrl-C")
	}
	_ = syscall.Kill(-command.Process.Pid, syscall.SIGTERM) // to all of it; SIGINT ends it alike, but is ignored in a background job
	_ = command.Wait()                                      // the status says it
	if status := command.ProcessState.ExitCode(); !served || status != 0 || !strings.Contains(strings.Join(said, "\n"), "money flows") {
		t.Errorf("exit status %d, served %v:\n%s", status, served, strings.Join(said, "\n"))
	}
}

// TestServeMayBeEndedAtOnce sends the signal with the very sentence that says how to end it.
func TestServeMayBeEndedAtOnce(t *testing.T) {
	t.Parallel()
	output, err := shell(t, os.Getenv("PATH"), "artifacts", `
		SERVE=1 ARTIFACTS_URL=http://127.0.0.1:1
		trap 'exit 130' INT TERM HUP
		echo() { builtin echo "$@"; case $* in Serving*) kill -TERM "$BASHPID" ;; esac; }
		keep_serving`, "")
	if err != nil || !strings.Contains(output, "until Ctrl-C") {
		t.Errorf("got %v and %q, want exit status 0", err, output)
	}
}
