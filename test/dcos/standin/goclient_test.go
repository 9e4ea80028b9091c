package standin

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"fintrans/demo/harness"
)

// client sends what the newer dcos command, which is written in Go, sends.
type client struct {
	t   *testing.T
	c   *Cluster
	dir string
}

func newClient(t *testing.T, options Options) *client {
	t.Helper()
	options.Dir, options.Token, options.Password = t.TempDir(), "tok", "secret"
	if options.Address == "" {
		options.Address = "127.0.0.1"
	}
	c, err := Start(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return &client{t, c, options.Dir}
}

// reply is an answer without its body.
type reply struct {
	Status     string
	StatusCode int
	Header     http.Header
}

// send sends a request, with the token unless there is none, and returns the answer.
func (k *client) send(method, path, token, body string, header ...string) (reply, []byte) {
	k.t.Helper()
	request, err := http.NewRequestWithContext(k.t.Context(), method, k.c.URL()+path, strings.NewReader(body))
	if err != nil {
		k.t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "token="+token)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		k.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		k.t.Fatal(err)
	}
	return reply{answer.Status, answer.StatusCode, answer.Header}, text
}

// want sends a request with the token and fails the test unless the answer is JSON of this status with the text.
func (k *client) want(status int, text, method, path, body string, header ...string) map[string]any {
	k.t.Helper()
	answer, got := k.send(method, path, "tok", body, header...)
	var parsed any
	if answer.StatusCode != status || !strings.Contains(string(got), text) || json.Unmarshal(got, &parsed) != nil {
		k.t.Fatalf("%s %s: %s %s, want status %d and JSON with %q", method, path, answer.Status, got, status, text)
	}
	object, _ := parsed.(map[string]any)
	return object
}

func TestGoClientAttaches(t *testing.T) {
	k := newClient(t, Options{})
	for path, status := range map[string]int{"/": 200, "/pkgpanda/active.buildinfo.full.json": 401, "/dcos-metadata/dcos-version.json": 200, "/metadata": 401} {
		answer, _ := k.send(http.MethodHead, path, "", "")
		if answer.StatusCode != status || status == 401 && answer.Header.Get("WWW-Authenticate") != "acsjwt" {
			t.Errorf("HEAD %s: %s %v, want %d", path, answer.Status, answer.Header, status)
		}
	}
	k.want(200, `"start_flow_url":"/acs/api/v1/auth/login"`, "GET", "/acs/api/v1/auth/providers", "")
	if answer, _ := k.send("POST", "/acs/api/v1/auth/login", "", `{"uid":"admin","password":"wrong"}`); answer.StatusCode != 401 {
		t.Errorf("a wrong password: %s, want 401", answer.Status)
	}
	if _, body := k.send("POST", "/acs/api/v1/auth/login", "", `{"uid":"admin","password":"secret"}`); !strings.Contains(string(body), `"token":"tok"`) {
		t.Errorf("login: %s", body)
	}
	k.want(200, k.c.ID(), "GET", "/metadata", "")
	k.want(200, `"cluster":"standin"`, "GET", "/mesos/state-summary", "")
	k.want(200, `"dcos-variant":"open"`, "GET", "/dcos-metadata/dcos-version.json", "")
	if answer, _ := k.send("GET", "/cluster/v1/links", "tok", ""); answer.StatusCode != 404 {
		t.Errorf("links: %s, want 404", answer.Status)
	}
}

func TestGoClientGetsItsPlugin(t *testing.T) {
	zip := filepath.Join(t.TempDir(), "plugin.zip")
	if err := os.WriteFile(zip, []byte("zip"), 0o600); err != nil {
		t.Fatal(err)
	}
	k := newClient(t, Options{Plugin: zip})
	k.cosmos(200, `"algo":"sha256"`, "describe", `{"packageName":"dcos-core-cli"}`, "v3")
	if _, body := k.send("GET", "/plugin/dcos-core-cli.zip", "tok", ""); string(body) != "zip" {
		t.Errorf("the plugin is %q", body)
	}
}

// cosmos sends a request as the Go client does: it takes the answer of the version, or an error.
func (k *client) cosmos(status int, text, operation, body, version string) {
	k.t.Helper()
	media := "application/vnd.dcos.package." + operation
	k.want(status, text, "POST", "/package/"+operation, body,
		"Content-Type", media+"-request+json;charset=utf-8;version=v1",
		"Accept", media+"-response+json;charset=utf-8;version="+version+", application/vnd.dcos.package.error+json;charset=utf-8;version=v1")
}

func TestGoClientAndPackages(t *testing.T) {
	k := newClient(t, Options{Address: "127.0.3.1"})
	k.cosmos(200, `"version":"1.4"`, "describe", `{"packageName":"influxdb","packageVersion":"1.4"}`, "v3")
	k.cosmos(400, "VersionNotFound", "describe", `{"packageName":"influxdb","packageVersion":"9"}`, "v3")
	k.cosmos(400, "PackageNotFound", "describe", `{"packageName":"postgres"}`, "v3")
	k.cosmos(400, "JsonSchemaMismatch", "install", `{"packageName":"kafka","packageVersion":"2.10.0-2.4.0","options":{"kafka":{"no_such":1}}}`, "v1")
	k.cosmos(200, `"appId":"/influxdb"`, "install", `{"packageName":"influxdb","packageVersion":"1.4"}`, "v1")
	k.cosmos(409, "Package is already installed", "install", `{"packageName":"influxdb","packageVersion":"1.4"}`, "v1")
	k.cosmos(200, `"appId":"/influxdb"`, "list", `{}`, "v1")
	k.cosmos(200, `"packageName":"influxdb"`, "uninstall", `{"packageName":"influxdb"}`, "v1")
	k.cosmos(400, "PackageNotInstalled", "uninstall", `{"packageName":"kafka"}`, "v1")
}

const sleeper = `{"id":"/fintrans/x","cmd":"i=0; while :; do i=$((i+1)); echo line $i; sleep 0.1; done","cpus":0.1,"mem":32,"instances":1}`

func TestGoClientAndApps(t *testing.T) {
	k := newClient(t, Options{})
	const apps = "/service/marathon/v2/apps"
	k.want(200, `"apps":[]`, "GET", apps, "")
	k.want(404, "App '/fintrans/x' does not exist", "GET", apps+"/fintrans/x", "")
	k.want(422, `"path":"/env"`, "POST", apps+"/", `{"id":"/fintrans/x","cmd":"true","env":{"A":1}}`)
	added := k.want(201, `"deployments":[{"id":"`, "POST", apps+"/", sleeper)
	if added["id"] != "/fintrans/x" {
		t.Errorf("added %v", added)
	}
	k.want(409, "already exists", "POST", apps+"/", sleeper)
	k.runs()
	const endless = `{"instances":2,"cpus":1000}` // no agent has so many, so that the deployment goes on
	k.want(200, `"deploymentId"`, "PUT", apps+"/fintrans/x?force=true", endless)
	k.want(200, `"deploymentId"`, "POST", apps+"/fintrans/x/restart", "")
	k.want(200, `"id":"/fintrans/x"`, "GET", "/service/marathon/v2/groups", "")
	k.want(409, "App is locked", "PUT", apps+"/fintrans/x", `{"instances":3}`)
	k.want(200, `"deploymentId"`, "DELETE", apps+"/fintrans/x?force=true", "")
	k.want(200, "[", "GET", "/service/marathon/v2/deployments", "")
	k.want(200, `"queue"`, "GET", "/service/marathon/v2/queue", "")
	harness.Eventually(t, func() (bool, string) {
		answer, body := k.send("GET", apps+"/fintrans/x", "tok", "")
		return answer.StatusCode == 404, string(body)
	})
}

// runs waits until the task runs and returns its id.
func (k *client) runs() string {
	k.t.Helper()
	id := ""
	harness.Eventually(k.t, func() (bool, string) {
		_, body := k.send("GET", "/mesos/master/state", "tok", "")
		var state struct {
			Frameworks []struct {
				Tasks []struct{ ID, Name, State string }
			}
		}
		if err := json.Unmarshal(body, &state); err != nil {
			return false, err.Error()
		}
		for _, task := range state.Frameworks[0].Tasks {
			if task.Name == "x.fintrans" && task.State == "TASK_RUNNING" {
				id = task.ID
			}
		}
		return id != "", string(body)
	})
	return id
}

func TestGoClientAndLogs(t *testing.T) {
	k := newClient(t, Options{})
	k.want(201, "", "POST", "/service/marathon/v2/apps/", sleeper)
	id := k.runs()
	if !strings.HasPrefix(id, "fintrans_x.instance-") {
		t.Errorf("the task's id is %s", id)
	}
	path := "/system/v1/logs/v2/task/" + id + "/file/stdout?cursor=END&skip=-3"
	harness.Eventually(t, func() (bool, string) {
		answer, body := k.send("GET", path, "tok", "", "Accept", "text/plain")
		return answer.StatusCode == 200 && strings.Count(string(body), "\n") == 3 && bytes.HasPrefix(body, []byte("line ")), string(body)
	})
	if answer, _ := k.send("GET", "/system/v1/logs/v2/task/nobody/file/stdout?cursor=END&skip=-3", "tok", "", "Accept", "text/plain"); answer.StatusCode != 404 {
		t.Errorf("the log of nobody: %s", answer.Status)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, k.c.URL()+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "token=tok")
	request.Header.Set("Accept", "text/event-stream")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	events, seen := bufio.NewScanner(answer.Body), 0
	for seen < 6 && events.Scan() {
		if strings.HasPrefix(events.Text(), `data: {"fields":{`) && strings.Contains(events.Text(), `"MESSAGE":"line `) {
			seen++
		}
	}
	if seen < 6 || len(answer.TransferEncoding) == 0 {
		t.Errorf("%d events, %v, %v: want 6, chunked", seen, answer.TransferEncoding, events.Err())
	}
}

func TestGoClientAndAgents(t *testing.T) {
	k := newClient(t, Options{})
	k.want(200, `"public_ips":["127.0.0.1"]`, "GET", "/net/v1/nodes", "")
	k.want(200, `"host":"master.mesos."`, "GET", "/mesos_dns/v1/hosts/master.mesos", "")
	k.want(200, `"TASK_RUNNING"`, "GET", "/mesos/master/state-summary", "")
	for call, field := range map[string]protowire.Number{"\x08\x0a": 10, "\x08\x0b": 11} {
		answer, body := k.send("POST", "/mesos/api/v1", "tok", call, "Content-Type", "application/x-protobuf", "Accept", "application/x-protobuf")
		if answer.StatusCode != 200 {
			t.Fatalf("call %q: %s", call, answer.Status)
		}
		found := 0
		for len(body) > 0 {
			number, kind, n := protowire.ConsumeTag(body)
			size := protowire.ConsumeFieldValue(number, kind, body[max(n, 0):])
			if n < 0 || size < 0 {
				t.Fatalf("call %q: not protobuf: %x", call, body)
			}
			if number == field {
				found++
			}
			body = body[n+size:]
		}
		if found != 1 {
			t.Errorf("call %q: field %d is there %d times, want once", call, field, found)
		}
	}
}
