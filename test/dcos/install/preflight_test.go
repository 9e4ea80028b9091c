package install_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fintrans/test/dcos/standin"
)

// refusal is a precondition that is not met, and the sentence that says so.
type refusal struct {
	name  string
	flags []string // of the cluster
	make  func(c *cluster)
	args  []string
	texts []string
}

var refusals = []refusal{
	{
		name: "not attached", texts: []string{"not attached to a cluster", "dcos cluster setup"},
		make: func(c *cluster) { c.home = c.t.TempDir() },
	}, {
		name: "not logged in", texts: []string{"cannot list the apps", "dcos auth login"},
		make: func(c *cluster) { c.attach("expired") },
	}, {
		name: "no dcos command", texts: []string{"the dcos command is missing", "Install CLI"},
		make: func(c *cluster) { c.path = "/usr/bin:/bin" },
	}, {
		name: "too old", flags: []string{"--version", "1.8.9"}, texts: []string{"DC/OS 1.8.9", "needs 1.9 or newer"},
	}, {
		name: "HTML in place of the version", texts: []string{"does not say which DC/OS it is", "not JSON"},
		make: func(c *cluster) {
			c.fault("/dcos-metadata/", standin.Fault{Status: 200, Body: "<html>", Type: "text/html"})
		},
	}, {
		name: "Marathon is away", texts: []string{"cannot list the apps"},
		make: func(c *cluster) { c.fault("/service/marathon", standin.Fault{Status: 502, Body: "Bad Gateway"}) },
	}, {
		name: "too few CPUs", flags: []string{"--cpus", "2", "--mem", "16000"}, texts: []string{"2.0 CPUs and 16000 MB free", "needs 3.1 CPUs", "add agents"},
	}, {
		name: "too little memory", flags: []string{"--cpus", "8", "--mem", "2000"}, texts: []string{"8.0 CPUs and 2000 MB free"},
	}, {
		name: "no public agent", flags: []string{"--no-public-agent"}, texts: []string{"no public agent", "slave_public"},
	}, {
		name: "version not in the catalog", texts: []string{"version 1.4 of package influxdb", "--influxdb-version"},
		make: func(c *cluster) { c.misbehave(standin.Misbehaviour{Hidden: []string{"influxdb:1.4"}}) },
	}, {
		name: "no artifacts", texts: []string{"make release", "laundering-detector-linux-amd64", "--artifacts-url"},
		args: []string{"--artifacts-url", "http://127.0.0.1:1"},
	}, {
		name: "an artifact is damaged", texts: []string{"is not what SHA256SUMS says", "make release"},
		make: func(c *cluster) { c.files.replace("influx-ingest-linux-amd64", "something else") },
	}, {
		name: "no artifacts for the architecture", texts: []string{"no sum of generator-linux-arm64"}, args: []string{"--arch", "arm64"},
	},
}

func TestPreflight(t *testing.T) {
	t.Parallel()
	for _, test := range refusals {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := start(t, test.flags...)
			if test.make != nil {
				test.make(c)
			}
			c.install(3, test.texts, test.args...)
			for _, request := range c.report().Requests {
				if !strings.HasPrefix(request, "GET ") && !strings.HasPrefix(request, "POST /package/describe") && !strings.HasPrefix(request, "PUT /standin/") && !strings.HasPrefix(request, "HEAD ") {
					t.Errorf("it sent %s before it refused", request)
				}
			}
		})
	}
}

// fault makes requests to a path fail.
func (c *cluster) fault(path string, f standin.Fault) {
	c.t.Helper()
	f.Path = path
	c.misbehave(standin.Misbehaviour{Faults: []*standin.Fault{&f}})
}

func TestDryRunChangesNothing(t *testing.T) {
	t.Parallel()
	c := start(t)
	c.install(0, []string{"would create app " + detector, "would install package kafka 2.10.0-2.4.0", "nothing was changed"}, "--dry-run")
	if apps := c.report().Apps; len(apps) > 0 {
		t.Errorf("a dry run makes %v", apps)
	}
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	c := &cluster{t: t, home: t.TempDir(), path: "/usr/bin:/bin"}
	for _, test := range []struct {
		args []string
		text string
	}{
		{[]string{"--nonsense"}, "there is no option --nonsense"},
		{[]string{"--timeout"}, "--timeout needs a value"},
		{[]string{"--timeout=soon"}, "'soon' is not a number"},
		{[]string{"--artifacts-url", "ftp://h"}, "not an http or https URL"},
		{[]string{"--instances", "broker=3"}, "is not APP=NUMBER"},
		{[]string{"--env", "influx-ingest:INFLUX_PASSWORD=x"}, "INFLUX_PASSWORD_FILE"},
		{[]string{"--status", "--uninstall"}, "exclude each other"},
		{[]string{"--arch", "mips"}, "neither amd64 nor arm64"},
	} {
		got := c.run(c.command("./install-fintrans.sh", test.args...))
		got.expect(t, 2, test.text, "--help")
	}
	help := c.run(c.command("./install-fintrans.sh", "--help"))
	help.expect(t, 0, "Exit statuses")
	for _, line := range strings.Split(help.stdout, "\n") {
		if len(line) > 120 {
			t.Errorf("--help has a line of %d characters: %s", len(line), line)
		}
	}
}

// TestOldBash looks for what bash 3.2, which macOS has, does not know.
func TestOldBash(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(root + "/marathon/installer/*.sh")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files of the installer: %v", err)
	}
	newer := []string{
		"mapfile", "readarray", "declare -A", "local -A", "declare -n", "local -n", "|&", "&>>", "coproc", "wait -n",
		"EPOCH", "BASH_ARGV0", "printf '%(", "${var@", ",,}", "^^}", "shopt -s lastpipe", "[-1]",
	}
	for _, file := range append(files, root+"/install-fintrans.sh") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for n, line := range strings.Split(string(text), "\n") {
			if i := slices.IndexFunc(newer, func(w string) bool { return strings.Contains(line, w) }); i >= 0 {
				t.Errorf("%s:%d: bash 3.2 does not know %s: %s", file, n+1, newer[i], line)
			}
		}
	}
}
