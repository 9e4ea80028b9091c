package definition

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"fintrans/internal/service"
)

// folder holds what the installer gives to the cluster.
const folder = "../../../marathon"

var services = []string{"generator", "influx-ingest", "laundering-detector"}

// provisioner is the app that puts the dashboards into Grafana from within the cluster, once.
const provisioner = "grafana-provision"

// budget is what everything together may ask for: the article's.
const (
	budgetCPUs = 6
	budgetMem  = 6 * 1024
)

// scheduler is what the kafka package's scheduler asks for besides its brokers; its template fixes it.
var scheduler = App{CPUs: 1, Mem: 1024}

// optionKeys are the keys of the options that the pinned releases know (their config.json in the
// catalog). Cosmos ignores a key that it does not know without a word.
var optionKeys = map[string][]string{
	"kafka": {
		"brokers.count", "brokers.cpus", "brokers.mem", "brokers.heap.size", "brokers.disk", "brokers.disk_type",
		"kafka.delete_topic_enable", "kafka.auto_create_topics_enable", "kafka.num_partitions",
		"kafka.offsets_topic_replication_factor", "kafka.default_replication_factor",
	},
	"influxdb": {
		"service.cpus", "service.mem", "storage.persistence.enable",
		"configuration.INFLUXDB_RETENTION_ENABLED", "configuration.INFLUXDB_RETENTION_CHECK_INTERVAL",
	},
	"grafana": {
		"grafana.cpus", "grafana.mem", "grafana.admin_password",
		"networking.external_access.enable", "networking.external_access.external_access_port",
	},
	"marathon-lb": {"marathon-lb.cpus", "marathon-lb.mem", "marathon-lb.instances"},
}

func readApp(t *testing.T, service string) App {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, service+".json"))
	if err != nil {
		t.Fatal(err)
	}
	fields, err := ParseFields(text)
	if err != nil {
		t.Fatalf("%s.json: %v", service, err)
	}
	app, err := Parse(fields)
	if err != nil {
		t.Fatalf("%s.json: %v", service, err)
	}
	return app
}

func readOptions(t *testing.T, name string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, name+"-options.json"))
	if err != nil {
		t.Fatal(err)
	}
	var options map[string]any
	if err := json.Unmarshal(text, &options); err != nil {
		t.Fatalf("%s-options.json: %v", name, err)
	}
	flat := map[string]any{}
	flatten("", options, flat)
	return flat
}

// flatten puts the leaves of a JSON object into flat, by their path.
func flatten(prefix string, value any, flat map[string]any) {
	object, ok := value.(map[string]any)
	if !ok {
		flat[strings.TrimSuffix(prefix, ".")] = value
		return
	}
	for key, inner := range object {
		flatten(prefix+key+".", inner, flat)
	}
}

func TestAppsAreWhatMarathonTakes(t *testing.T) {
	for _, name := range services {
		app := readApp(t, name)
		if app.ID != "/fintrans/"+name {
			t.Errorf("%s.json: id is %q", name, app.ID)
		}
		start := fmt.Sprintf(`echo "$BINARY_SHA256  %[1]s-linux-amd64" | sha256sum -c - >&2 && exec ./%[1]s-linux-amd64`, name)
		if app.Cmd != start {
			t.Errorf("%s.json: cmd is %q, want %q: check, then exec, so that SIGTERM reaches the program", name, app.Cmd, start)
		}
		if len(app.Fetch) != 1 || app.Fetch[0] != (Fetch{URI: "https://artifacts.invalid/" + name + "-linux-amd64", Executable: true}) {
			t.Errorf("%s.json: fetch is %+v", name, app.Fetch)
		}
		if app.Env["BINARY_SHA256"] != strings.Repeat("0", 64) || app.Env["BROKER"] != "broker.kafka.l4lb.thisdcos.directory:9092" {
			t.Errorf("%s.json: env is %v", name, app.Env)
		}
		if app.Upgrade != (Upgrade{0, 0}) {
			t.Errorf("%s.json: an upgrade stops the old tasks first, so that it needs no second share of the cluster; got %+v", name, app.Upgrade)
		}
	}
	if wait := readApp(t, "generator").Env["GEN_WAIT_SEC"]; wait != "0.1" {
		t.Errorf("GEN_WAIT_SEC is %q, want 0.1", wait)
	}
	for _, name := range services[1:] {
		env := readApp(t, name).Env
		if env["ALERTS_TOPIC"] != "Alerts" || env["PIPELINE_TOPIC"] != "Pipeline" {
			t.Errorf("%s.json: the topics of alerts and pipeline are %q and %q", name, env["ALERTS_TOPIC"], env["PIPELINE_TOPIC"])
		}
	}
}

func TestHealthChecksAndMetrics(t *testing.T) {
	for _, name := range services {
		app := readApp(t, name)
		if len(app.Checks) != 2 || app.Checks[0].Path != "/health" || app.Checks[1].Path != "/ready" {
			t.Fatalf("%s.json: checks are %+v, want /health and /ready", name, app.Checks)
		}
		if app.Checks[0].MaxFailures == 0 || app.Checks[1].MaxFailures != 0 {
			t.Errorf("%s.json: /health may kill, /ready must not: %+v", name, app.Checks)
		}
		labels := map[string]string{"DCOS_METRICS_FORMAT": "prometheus", "DCOS_METRICS_ENDPOINT": "/metrics"}
		if len(app.Ports) != 1 || app.Ports[0].Port != 0 || !maps.Equal(app.Ports[0].Labels, labels) {
			t.Errorf("%s.json: ports are %+v, want any port with the labels %v", name, app.Ports, labels)
		}
	}
}

func TestKillGraceIsLongerThanTheDrain(t *testing.T) {
	for _, name := range services {
		app := readApp(t, name)
		// DrainLimit is when the process gives up; after it come its last log line and the HTTP server.
		if least := service.DrainLimit + 5*time.Second; app.KillGrace == nil || app.Grace() < least || app.Grace() <= service.DrainBudget {
			t.Errorf("%s.json: kill grace is %v, want at least %v for a drain of %v", name, app.Grace(), least, service.DrainBudget)
		}
		if app.LaunchDelay > 60 || app.Backoff > 1 {
			t.Errorf("%s.json: a task that fails waits up to %v s for its next start, want 60 at most", name, app.LaunchDelay)
		}
	}
}

func TestEverythingFitsTheBudget(t *testing.T) {
	cpus, mem := scheduler.CPUs, scheduler.Mem
	add := func(c, m any, times float64) {
		cpus += c.(float64) * times
		mem += m.(float64) * times
	}
	kafka, influx, grafana, lb := readOptions(t, "kafka"), readOptions(t, "influxdb"), readOptions(t, "grafana"), readOptions(t, "marathon-lb")
	add(kafka["brokers.cpus"], kafka["brokers.mem"], kafka["brokers.count"].(float64))
	add(influx["service.cpus"], influx["service.mem"], 1)
	add(grafana["grafana.cpus"], grafana["grafana.mem"], 1)
	add(lb["marathon-lb.cpus"], lb["marathon-lb.mem"], 1)
	for _, name := range services {
		app := readApp(t, name)
		if app.CPUs > 0.1 {
			t.Errorf("%s.json: %v CPUs, want 0.1 at most", name, app.CPUs)
		}
		add(app.CPUs, app.Mem, float64(app.Instances))
	}
	once := readApp(t, provisioner)
	add(once.CPUs, once.Mem, 1)
	t.Logf("together: %.1f CPUs, %.0f MB", cpus, mem)
	if cpus > budgetCPUs || mem > budgetMem {
		t.Errorf("together %.1f CPUs and %.0f MB, want at most %d and %d", cpus, mem, budgetCPUs, budgetMem)
	}
}

func TestHeapLimitMatchesMemory(t *testing.T) {
	for _, name := range services {
		app := readApp(t, name)
		number, ok := strings.CutSuffix(app.Env["GOMEMLIMIT"], "MiB")
		limit, err := strconv.ParseFloat(number, 64)
		if !ok || err != nil || limit < 0.8*app.Mem || limit > 0.9*app.Mem {
			t.Errorf("%s.json: GOMEMLIMIT is %q, want 80 to 90 %% of the %v MB, in MiB", name, app.Env["GOMEMLIMIT"], app.Mem)
		}
	}
}

// TestProvisionerRunsOnce: Marathon starts again whatever ends, so it says how it ended and stays.
func TestProvisionerRunsOnce(t *testing.T) {
	app := readApp(t, provisioner)
	if app.ID != "/fintrans/"+provisioner || !strings.HasSuffix(app.Cmd, `; echo "provision.sh ended with exit status $?"; exec sleep 86400`) {
		t.Errorf("%s.json: %+v", provisioner, app)
	}
	if len(app.Fetch) != 1 || !app.Fetch[0].Extract || app.Fetch[0].URI != "https://artifacts.invalid/grafana.tar.gz" {
		t.Errorf("%s.json: fetch is %+v", provisioner, app.Fetch)
	}
}

func TestOptionsAreKnown(t *testing.T) {
	for name, known := range optionKeys {
		for key := range readOptions(t, name) {
			if !slices.Contains(known, key) {
				t.Errorf("%s-options.json: %s is not an option of the package", name, key)
			}
		}
	}
	kafka := readOptions(t, "kafka")
	if kafka["brokers.count"] != 1.0 || kafka["kafka.offsets_topic_replication_factor"] != 1.0 {
		t.Error("with one broker __consumer_offsets needs the replication factor 1, else no group ever joins")
	}
}

func TestFolderHoldsNothingElse(t *testing.T) {
	var want []string
	for _, name := range append([]string{provisioner}, services...) {
		want = append(want, name+".json")
	}
	for name := range optionKeys {
		want = append(want, name+"-options.json")
	}
	found, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range found {
		if !slices.Contains(want, filepath.Base(path)) {
			t.Errorf("%s is checked by no test", path)
		}
	}
}

// setting is how --help names a variable.
var setting = regexp.MustCompile(`, ([A-Z][A-Z0-9_]+) \(`)

// notSettings are variables that the start command and the Go runtime read.
var notSettings = []string{"BINARY_SHA256", "GOMEMLIMIT"}

func TestEnvironmentIsKnownToThePrograms(t *testing.T) {
	for _, name := range services {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			binary := filepath.Join(t.TempDir(), name)
			build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./"+name)
			build.Dir = "../../.."
			if output, err := build.CombinedOutput(); err != nil {
				t.Fatalf("%v: %v\n%s", build.Args, err, output)
			}
			help, err := exec.CommandContext(t.Context(), binary, "--help").Output()
			if err != nil {
				t.Fatal(err)
			}
			known := slices.Clone(notSettings)
			for _, found := range setting.FindAllStringSubmatch(string(help), -1) {
				known = append(known, found[1])
			}
			for variable := range readApp(t, name).Env {
				if !slices.Contains(known, variable) {
					t.Errorf("%s.json sets %s, which is no setting of the program", name, variable)
				}
			}
		})
	}
}
