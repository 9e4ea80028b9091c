package install_test

import (
	"bufio"
	"strings"
	"syscall"
	"testing"

	"fintrans/test/dcos/standin"
)

// TestInterrupted kills the installer at each of its steps, each time a step later, until the last run finishes
// what is left.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	c := start(t)
	hang := func(method, path string) []*standin.Fault {
		return []*standin.Fault{{Method: method, Path: path, Hang: true}}
	}
	for _, step := range []struct {
		says string
		then []*standin.Fault // holds it there, so that the kill does not come when the step is over and the next one done
	}{
		{"looking at what it needs", hang("PUT", apps)},
		{"creating app " + generator, hang("PUT", apps)},
		{"creating app " + detector, hang("PUT", "/service/marathon/v2/apps"+detector)},
		{"installing package kafka", hang("POST", "/package/install")},
		{"installing package grafana", nil},
		{"package grafana: ", nil},
		{"Grafana: data source and dashboards", nil},
	} {
		// A package takes longer than everything else, so that there is a wait to be killed in.
		c.misbehave(standin.Misbehaviour{PackageDelay: 20, Faults: step.then})
		t.Logf("killed at %q", step.says)
		c.killAt(step.says)
	}
	c.install(0, []string{"money flows", "nothing was changed"})
	c.run(c.command("./install-fintrans.sh", "--status")).expect(t, 0)

	t.Log("an uninstall that is killed is finished by the next")
	uninstall := []string{"./install-fintrans.sh", "--uninstall", "--yes"}
	c.killCommandAt("removing package marathon-lb", uninstall...)
	c.run(c.command(uninstall[0], uninstall[1:]...)).expect(t, 0, "removed")
	if left := c.report().Apps; len(left) > 0 {
		t.Errorf("an uninstall leaves %v", left)
	}
}

// TestInterruptedByHand ends the installer with a signal that it can notice.
func TestInterruptedByHand(t *testing.T) {
	t.Parallel()
	c := start(t)
	installer := c.installer()
	installer.Stderr = nil
	stdout, err := installer.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := installer.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	for begun := false; !begun && lines.Scan(); {
		begun = strings.Contains(lines.Text(), "installing package kafka")
	}
	_ = syscall.Kill(-installer.Process.Pid, syscall.SIGTERM) // to all of it; SIGINT ends it alike, but is ignored in a background job
	_ = installer.Wait()                                      // the status says it
	if status := installer.ProcessState.ExitCode(); status != 130 {
		t.Errorf("exit status %d, want 130", status)
	}
}

// killAt kills the installer, and all that it has started, when it says so.
func (c *cluster) killAt(step string) {
	c.t.Helper()
	c.killCommandAt(step, append([]string{"./install-fintrans.sh"}, "--artifacts-url", c.files.url)...)
}

func (c *cluster) killCommandAt(step string, args ...string) {
	c.t.Helper()
	command := c.command(args[0], args[1:]...)
	stdout, err := command.StdoutPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		c.t.Fatal(err)
	}
	said := []string{}
	reached := false
	for lines := bufio.NewScanner(stdout); !reached && lines.Scan(); {
		said = append(said, lines.Text())
		reached = strings.Contains(lines.Text(), step)
	}
	_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL) // gone already shows below
	_ = command.Wait()                                      // killed
	if !reached {
		c.t.Fatalf("it never says %q:\n%s", step, strings.Join(said, "\n"))
	}
}
