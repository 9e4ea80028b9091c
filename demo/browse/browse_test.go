package browse_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fintrans/demo/browse"
	"fintrans/demo/dashboards"
)

// standIn is the stand-in for Grafana's executable.
var standIn string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	folder, err := os.MkdirTemp("", "fintrans-browse-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder) //nolint:errcheck // a folder of temporary files
	standIn = filepath.Join(folder, "grafana")
	if output, err := exec.Command("go", "build", "-o", standIn, "./testdata/grafana").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the stand-in for Grafana: %v\n%s", err, output)
		return 1
	}
	return m.Run()
}

// install puts a stand-in for Grafana on the PATH, as an archive of it is laid out.
func install(t *testing.T, name, version string) {
	t.Helper()
	folder := t.TempDir()
	bin, conf := filepath.Join(folder, "bin"), filepath.Join(folder, "conf")
	for _, made := range []string{bin, conf} {
		if err := os.Mkdir(made, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for file, text := range map[string]string{filepath.Join(bin, "VERSION"): version, filepath.Join(conf, "defaults.ini"): ""} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(standIn, filepath.Join(bin, name)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
}

func start(t *testing.T, options browse.Options) *browse.Browser {
	t.Helper()
	options.Influx = dashboards.Influx{URL: "http://127.0.0.1:1", Database: "fintrans"}
	b, err := browse.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func TestGrafanaOfThisMachine(t *testing.T) {
	for _, c := range []struct{ name, version, kind string }{{"grafana-server", "5.1.0", "5"}, {"grafana", "12.4.2", "current"}} {
		t.Run(c.name, func(t *testing.T) {
			install(t, c.name, c.version)
			dir := filepath.Join(t.TempDir(), "a: folder")
			b := start(t, browse.Options{Addr: "127.0.0.1:0", Dir: dir})
			if b.Kind != "Grafana "+c.version || len(b.Notices) > 0 || !strings.HasSuffix(b.URL, "/d/fintrans/fintrans") {
				t.Fatalf("%+v", b)
			}
			var noted struct{ Args, Environment []string }
			if err := json.Unmarshal(read(t, filepath.Join(dir, "data", "noted.json")), &noted); err != nil {
				t.Fatal(err)
			}
			if sub := slices.Contains(noted.Args, "server"); sub != (c.name == "grafana") {
				t.Errorf("arguments %q", noted.Args)
			}
			for _, want := range []string{
				"GF_PATHS_PROVISIONING=" + filepath.Join(dir, "provisioning"), "GF_AUTH_ANONYMOUS_ORG_ROLE=Viewer", "GF_SERVER_HTTP_ADDR=127.0.0.1",
			} {
				if !slices.Contains(noted.Environment, want) {
					t.Errorf("the environment has no %s", want)
				}
			}
			source := string(read(t, filepath.Join(dir, "provisioning", "datasources", "fintrans.yaml")))
			provider := string(read(t, filepath.Join(dir, "provisioning", "dashboards", "fintrans.yaml")))
			if !strings.Contains(source, `url: "http://127.0.0.1:1"`) || !strings.Contains(provider, `path: "`+filepath.Join(dir, "dashboards")+`"`) {
				t.Errorf("provisioned:\n%s%s", source, provider)
			}
			written, _ := os.ReadFile("../../grafana/dashboards/" + c.kind + "/fintrans.json")
			if !bytes.Equal(read(t, filepath.Join(dir, "dashboards", "fintrans.json")), written) {
				t.Error("the dashboards are not those of the kind")
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
			if answer, err := http.Get(b.URL); err == nil {
				_ = answer.Body.Close()
				t.Error("Grafana is still there after Close")
			}
		})
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestPreviewInstead(t *testing.T) {
	for _, c := range []struct{ name, version, notice string }{
		{"none", "", ""},
		{"too old", "4.6.3", "is Grafana 4.6.3, the dashboards need 5.0 or later: here is the preview instead"},
		{"ends at once", "12.4.2 locked", `ended with exit status 3 before it answered`},
		{"no version", "unknown", "-v does not tell a version"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.version == "" {
				t.Setenv("PATH", t.TempDir())
			} else {
				install(t, "grafana-server", c.version)
			}
			b := start(t, browse.Options{Addr: "127.0.0.1:0", Dir: t.TempDir()})
			if b.Kind != "preview" || strings.Join(b.Notices, "") != "" != (c.notice != "") || !strings.Contains(strings.Join(b.Notices, ""), c.notice) {
				t.Errorf("%+v, want the preview and notice %q", b, c.notice)
			}
			answer, err := http.Get(b.URL)
			if err != nil || answer.StatusCode != http.StatusOK {
				t.Fatalf("GET %s: %v %v", b.URL, answer, err)
			}
			_ = answer.Body.Close()
		})
	}
}

func TestPortIsTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	for _, kind := range []string{"preview", "Grafana 10.4.1"} {
		t.Run(kind, func(t *testing.T) {
			t.Setenv("PATH", t.TempDir())
			if kind != "preview" {
				install(t, "grafana", "10.4.1")
			}
			b := start(t, browse.Options{Addr: taken.Addr().String(), Dir: t.TempDir()})
			if b.Kind != kind || len(b.Notices) != 1 || !strings.Contains(b.Notices[0], "is taken by another program") {
				t.Errorf("%+v, want %s and a notice of the port", b, kind)
			}
		})
	}
}
