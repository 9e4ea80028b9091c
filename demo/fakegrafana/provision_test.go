package fakegrafana_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fintrans/demo/fakegrafana"
)

// versions are those that the stand-in knows, one of each way to be asked.
var versions = []string{"5.1.0", "9.5.21", "12.4.2"}

const secret = `s3"cr\et`

// outcome is how a run of provision.sh ended.
type outcome struct {
	status         int
	stdout, stderr string
}

// find returns the path of a command. Where it is missing the test is skipped, and fails in CI.
func find(t *testing.T, tool string) string {
	t.Helper()
	path, err := exec.LookPath(tool)
	switch {
	case err == nil:
	case os.Getenv("CI") != "":
		t.Fatalf("%s is missing", tool)
	default:
		t.Skipf("NOT TESTED: %s is missing", tool)
	}
	return path
}

// provision runs provision.sh against the stand-in.
func provision(t *testing.T, address string, environment []string, options ...string) outcome {
	t.Helper()
	find(t, "bash")
	find(t, "curl")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	arguments := append([]string{"../../grafana/provision.sh", "--grafana", address, "--influx", "http://influx.example:8086", "--wait", "0"}, options...)
	command := exec.CommandContext(ctx, "bash", arguments...)
	command.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TMPDIR=" + t.TempDir()}, environment...)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{command.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// ends fails the test unless the run ended with the status and one sentence that contains the words.
func (o outcome) ends(t *testing.T, status int, words string) {
	t.Helper()
	if o.status != status || !strings.Contains(o.stderr, words) || strings.Count(o.stderr, "\n") > 1 {
		t.Errorf("exit status %d, stderr %q; want %d and one line with %q\nstdout: %s", o.status, o.stderr, status, words, o.stdout)
	}
}

func (o outcome) succeeds(t *testing.T, words ...string) {
	t.Helper()
	if o.status != 0 || o.stderr != "" {
		t.Fatalf("exit status %d: %s", o.status, o.stderr)
	}
	for _, word := range words {
		if !strings.Contains(o.stdout, word) {
			t.Errorf("it says %q, want %q in it", o.stdout, word)
		}
	}
}

func start(t *testing.T, version string) *fakegrafana.Server {
	t.Helper()
	s, err := fakegrafana.Start(version, "admin", secret)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// passwords are those of Grafana and InfluxDB, in the environment.
func passwords() []string {
	return []string{"GRAFANA_PASSWORD=" + secret, "INFLUX_PASSWORD=read" + secret}
}

func TestProvisionCreatesAndUpdates(t *testing.T) {
	t.Parallel()
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			s := start(t, version)
			s.AddDashboard(fakegrafana.Dashboard{UID: "mine", Title: "Mine", Version: 4})
			provision(t, s.URL(), passwords(), "--influx-user", "grafana").succeeds(t, "'fintrans': created", "'Fintrans pipeline': created")
			first := s.Sources()
			checkSource(t, version, first)
			provision(t, s.URL(), passwords(), "--influx-user", "grafana", "--influx-database", "other").
				succeeds(t, "'fintrans': updated", "'Fintrans': updated", "'Transfers behind an alert': updated")
			second := s.Sources()
			if len(second) != 1 || second[0].Database != "other" || second[0].UID != first[0].UID {
				t.Errorf("data sources after the second run: %+v", second)
			}
			found := s.Dashboards()
			if len(found) != 4 || found["mine"].Version != 4 || found["fintrans"].Version != 2 {
				t.Errorf("dashboards: %+v", found)
			}
			panels, _ := found["fintrans"].Model["panels"].([]any)
			kind, _ := panels[0].(map[string]any)["type"].(string)
			if want := map[bool]string{true: "singlestat", false: "stat"}[version == "5.1.0"]; kind != want {
				t.Errorf("the first panel is a %s, want %s", kind, want)
			}
		})
	}
}

func checkSource(t *testing.T, version string, all []fakegrafana.Source) {
	t.Helper()
	if len(all) != 1 {
		t.Fatalf("data sources: %+v", all)
	}
	got := all[0]
	if got.Name != "fintrans" || got.Type != "influxdb" || got.Access != "proxy" || got.URL != "http://influx.example:8086" ||
		got.Database != "fintrans" || got.User != "grafana" || got.SecureJSONData["password"] != "read"+secret || got.JSONData["dbName"] != "fintrans" {
		t.Errorf("data source: %+v", got)
	}
	if version == "5.1.0" && got.Password != "read"+secret {
		t.Error("Grafana 5 has no password where it looks for it")
	}
	if version != "5.1.0" && (got.UID != "fintrans" || got.Password != "") {
		t.Errorf("uid %q and open password %q, want fintrans and none", got.UID, got.Password)
	}
}

func TestProvisionKeepsWhatTheUserHas(t *testing.T) {
	t.Parallel()
	s := start(t, "9.5.21")
	s.Add(fakegrafana.Source{Name: "fintrans", Type: "influxdb", URL: "http://old", IsDefault: true, UID: "theirs"})
	s.AddDashboard(fakegrafana.Dashboard{UID: "fintrans", Title: "Renamed", Version: 7, FolderID: 3, FolderUID: "money"})
	provision(t, s.URL(), passwords()[:1]).succeeds(t)
	source, d := s.Sources()[0], s.Dashboards()["fintrans"]
	if source.UID != "theirs" || !source.IsDefault || source.URL != "http://influx.example:8086" {
		t.Errorf("data source: %+v", source)
	}
	if d.FolderID != 3 || d.FolderUID != "money" || d.Version != 8 || d.Title != "Fintrans" {
		t.Errorf("dashboard: %+v", d)
	}
	panel, _ := d.Model["panels"].([]any)[0].(map[string]any)
	ref, _ := panel["datasource"].(map[string]any)
	if ref["uid"] != "theirs" || d.Model["uid"] != "fintrans" {
		t.Errorf("panel's data source: %v, want uid theirs", ref)
	}
}

func TestProvisionReplacesWhatIsSavedInBetween(t *testing.T) {
	t.Parallel()
	s := start(t, "12.4.2")
	provision(t, s.URL(), passwords()[:1]).succeeds(t)
	times := 0
	s.Meddle(func(uid string) {
		if times++; times < 3 {
			s.Save(uid)
		}
	})
	provision(t, s.URL(), passwords()[:1]).succeeds(t, "'Fintrans': updated")
	s.Meddle(s.Save)
	provision(t, s.URL(), passwords()[:1]).ends(t, 1, "changed by someone else")
}

func TestProvisionDryRunChangesNothing(t *testing.T) {
	t.Parallel()
	s := start(t, "12.4.2")
	provision(t, s.URL(), passwords()[:1], "--dry-run").succeeds(t, "would create the data source", "'Fintrans' created")
	if len(s.Sources())+len(s.Dashboards()) > 0 {
		t.Errorf("a dry run left %+v %+v", s.Sources(), s.Dashboards())
	}
	provision(t, s.URL(), passwords()[:1]).succeeds(t)
	before := s.Dashboards()["fintrans"].Version
	provision(t, s.URL(), passwords()[:1], "--dry-run").succeeds(t, "would update the data source", "'Fintrans' updated")
	if s.Dashboards()["fintrans"].Version != before {
		t.Error("a dry run saved a dashboard")
	}
}

func TestProvisionTakesPasswordsFromFiles(t *testing.T) {
	t.Parallel()
	s := start(t, "12.4.2")
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	provision(t, s.URL(), nil, "--grafana-password-file", file, "--influx-user", "u", "--influx-password-file", file).succeeds(t)
	if got := s.Sources()[0].SecureJSONData["password"]; got != secret {
		t.Errorf("InfluxDB's password is %q, want %q", got, secret)
	}
}

// TestProvisionHidesPasswords runs it with a curl that writes down how it is called.
func TestProvisionHidesPasswords(t *testing.T) {
	t.Parallel()
	curl := find(t, "curl")
	s := start(t, "12.4.2")
	folder := t.TempDir()
	script := "#!/bin/sh\necho \"$@\" >>" + folder + "/calls\nexec " + curl + " \"$@\"\n"
	if err := os.WriteFile(filepath.Join(folder, "curl"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	provision(t, s.URL(), append(passwords(), "PATH="+folder+":"+os.Getenv("PATH")), "--influx-user", "grafana").succeeds(t)
	calls, err := os.ReadFile(filepath.Join(folder, "calls"))
	if err != nil || len(calls) == 0 {
		t.Fatalf("no calls were noted: %v", err)
	}
	if strings.Contains(string(calls), "cr\\et") {
		t.Errorf("a password is in the process list:\n%s", calls)
	}
}
