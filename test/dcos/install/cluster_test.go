package install_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"fintrans/demo/harness"
	"fintrans/test/dcos/standin"
)

const token = "standin-token"

// cluster is a stand-in that runs as a process, with a dcos command that is attached to it.
type cluster struct {
	t       testing.TB
	url     string
	address string
	home    string
	path    string // PATH of the installer
	files   *artifacts
}

var clusters atomic.Int32

// start starts a cluster with flags of its own, and attaches a dcos command.
func start(t testing.TB, flags ...string) *cluster {
	t.Helper()
	c := &cluster{t: t, home: t.TempDir(), path: cli(t) + ":" + os.Getenv("PATH"), files: serveArtifacts(t)}
	// Each has the virtual addresses' ports for itself.
	n, pid := clusters.Add(1), os.Getpid()
	c.address = fmt.Sprintf("127.%d.%d.%d", 64+pid>>8&63, pid&255, 1+n)
	dir := t.TempDir()
	command := exec.Command(need(t, shared.standin), append([]string{"--dir", dir, "--address", c.address}, flags...)...)
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	command.Stderr = &stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			c.showTasks()
		}
		_ = command.Process.Signal(syscall.SIGTERM) // gone already is as good
		if err := command.Wait(); err != nil {
			t.Errorf("the stand-in ended with %v: %s", err, stderr.String())
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("the stand-in does not start: %s", stderr.String())
	}
	c.url = strings.TrimSpace(line)
	c.attach(token)
	return c
}

// attach writes what `dcos cluster setup` writes.
func (c *cluster) attach(token string) {
	c.t.Helper()
	dir := filepath.Join(c.home, ".dcos", "clusters", c.report().ID)
	config := fmt.Sprintf("[cluster]\nname = \"standin\"\n[core]\ndcos_url = %q\ndcos_acs_token = %q\n", c.url, token)
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "dcos.toml"), []byte(config), 0o600)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "attached"), nil, 0o600)
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *cluster) report() standin.Report {
	c.t.Helper()
	answer, err := http.Get(c.url + "/standin/report")
	if err != nil {
		c.t.Fatal(err)
	}
	defer answer.Body.Close()
	var report standin.Report
	if err := json.NewDecoder(answer.Body).Decode(&report); err != nil {
		c.t.Fatal(err)
	}
	return report
}

func (c *cluster) misbehave(how standin.Misbehaviour) {
	c.t.Helper()
	body, err := json.Marshal(how)
	if err != nil {
		c.t.Fatal(err)
	}
	request, err := http.NewRequest(http.MethodPut, c.url+"/standin/misbehave", bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(answer.Body) // the status says enough without
		c.t.Fatalf("misbehave: %s: %s", answer.Status, text)
	}
}

// command returns a command of the checkout with the environment of a user of this cluster.
func (c *cluster) command(name string, args ...string) *exec.Cmd {
	command := exec.Command("env", append([]string{name}, args...)...) // found in the PATH that it gets
	command.Dir = root
	command.Env = []string{"PATH=" + c.path, "HOME=" + c.home, "TMPDIR=" + os.TempDir(), "LANG=C.UTF-8"}
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return command
}

// outcome is how a command has ended.
type outcome struct {
	status         int
	stdout, stderr string
}

func (o outcome) String() string {
	return fmt.Sprintf("exit status %d\n%s--- stderr\n%s", o.status, o.stdout, o.stderr)
}

// run runs a command to its end.
func (c *cluster) run(command *exec.Cmd) outcome {
	c.t.Helper()
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil && command.ProcessState == nil {
		c.t.Fatal(err)
	}
	return outcome{command.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// installer returns the installer as a command, with the artifacts of this checkout.
func (c *cluster) installer(args ...string) *exec.Cmd {
	return c.command("./install-fintrans.sh", append([]string{"--artifacts-url", c.files.url}, args...)...)
}

// install runs the installer, which has to end with the status and to say all of the texts.
func (c *cluster) install(status int, texts []string, args ...string) outcome {
	c.t.Helper()
	got := c.run(c.installer(args...))
	got.expect(c.t, status, texts...)
	return got
}

// expect fails the test when the outcome is another.
func (o outcome) expect(t testing.TB, status int, texts ...string) {
	t.Helper()
	wrong := o.status != status
	for _, text := range texts {
		wrong = wrong || !strings.Contains(o.stdout+o.stderr, text)
	}
	if wrong {
		t.Fatalf("want exit status %d and %q, got %v", status, texts, o)
	}
	if status != 0 && status != 1 && strings.Count(o.stderr, "install-fintrans.sh: ") != 1 {
		t.Errorf("want exactly one sentence of the installer on stderr, got %v", o)
	}
}

// dcos runs the dcos command, which has to succeed, and returns its output.
func (c *cluster) dcos(args ...string) string {
	c.t.Helper()
	got := c.run(c.command("dcos", args...))
	if got.status != 0 {
		c.t.Fatalf("dcos %v: %v", args, got)
	}
	return got.stdout
}

// live returns the app's tasks that have not ended.
func (c *cluster) live(app string) []standin.ReportedTask {
	c.t.Helper()
	var tasks []standin.ReportedTask
	for _, task := range c.report().Tasks {
		if task.App == app && !task.Ended {
			tasks = append(tasks, task)
		}
	}
	return tasks
}

// awaitReady waits until so many tasks of the app say that they are ready.
func (c *cluster) awaitReady(app string, n int) {
	c.t.Helper()
	harness.Eventually(c.t, func() (bool, string) {
		tasks, ready := c.live(app), 0
		for _, task := range tasks {
			answer, err := http.Get(fmt.Sprintf("http://%s:%d/ready", c.address, task.Port))
			if err == nil {
				_ = answer.Body.Close()
				if answer.StatusCode == http.StatusOK {
					ready++
				}
			}
		}
		return len(tasks) == n && ready == n, fmt.Sprintf("%d tasks of %s, %d ready, want %d", len(tasks), app, ready, n)
	})
}

// showTasks shows what the tasks wrote last.
func (c *cluster) showTasks() {
	for _, task := range c.report().Tasks {
		text, err := os.ReadFile(filepath.Join(task.Sandbox, "stderr"))
		if err == nil && task.PID > 0 {
			c.t.Logf("%s: %s %s\n%s", task.ID, task.State, task.Message, text[max(0, len(text)-1500):])
		}
	}
}
