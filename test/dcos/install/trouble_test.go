package install_test

import (
	"encoding/json"
	"slices"
	"testing"

	"fintrans/test/dcos/standin"
)

// trouble is something that goes wrong after the preflight.
type trouble struct {
	name   string
	flags  []string
	how    standin.Misbehaviour
	make   func(c *cluster)
	args   []string
	status int
	texts  []string
}

const apps = "/service/marathon/v2/apps/fintrans/"

// installed are flags of a cluster that has the packages from the start, as the installer wants them: it then comes to
// what is behind them whatever time it has, and does not give up at one that is only just being installed.
var installed = []string{"--installed", "kafka:2.10.0-2.4.0,influxdb:1.4,marathon-lb:1.15.0,grafana:5.0.1-5.1.0"}

var troubles = []trouble{
	{
		name: "the command cannot be launched", how: standin.Misbehaviour{FailLaunch: []string{generator}},
		status: 4, texts: []string{"app " + generator, "keeps failing", "status 127", "the agent cannot run this"},
	}, {
		name: "the agents cannot fetch", make: func(c *cluster) { c.files.goAway("influx-ingest") },
		status: 4, texts: []string{"app " + ingest, "Failed to fetch all URIs", "keeps failing"},
	}, {
		name: "a task flaps", how: standin.Misbehaviour{Flap: map[string]float64{detector: 0.3}},
		status: 4, texts: []string{"app " + detector, "keeps failing", "last failure: task fintrans_laundering-detector."},
	}, {
		name: "packages take too long", how: standin.Misbehaviour{PackageDelay: 600}, args: []string{"--timeout", "30"},
		status: 4, texts: []string{"package kafka is not ready after 30 s", "0 of 1 task running"},
	}, {
		name: "Kafka's broker takes too long", flags: installed, how: standin.Misbehaviour{BrokerDelay: 600}, args: []string{"--timeout", "30"},
		status: 4, texts: []string{"Kafka's broker is not ready", "kafka-0-broker"},
	}, {
		name: "Kafka's address is dead", flags: installed, how: standin.Misbehaviour{SilentBrokers: true}, args: []string{"--timeout", "60"},
		status: 4, texts: []string{"app " + generator + " is not ready", "health check: 503", "log"},
	}, {
		name: "Marathon takes no change", how: fault("PUT", apps, 500, 0),
		status: 5, texts: []string{"failed 5 times", "status 500", "run this command again"},
	}, {
		name: "the token expires", how: fault("PUT", apps, 401, 0),
		status: 5, texts: []string{"does not take the token any more (401)", "dcos auth login"},
	}, {
		name: "no permission", how: fault("PUT", apps, 403, 0),
		status: 5, texts: []string{"refuses PUT", "403"},
	}, {
		name: "not found", how: fault("PUT", apps, 404, 0),
		status: 5, texts: []string{"Marathon does not take the app", "404"},
	}, {
		name: "locked although forced", how: fault("PUT", apps, 409, 0),
		status: 5, texts: []string{"takes its place", "refused although it is forced", "dcos marathon deployment list"},
	}, {
		name: "Cosmos fails", how: fault("POST", "/package/install", 500, 0),
		status: 5, texts: []string{"package kafka 2.10.0-2.4.0 cannot be installed"},
	},
}

func fault(method, path string, status, times int) standin.Misbehaviour {
	return standin.Misbehaviour{Faults: []*standin.Fault{
		{Method: method, Path: path, Status: status, Times: times, Body: `{"message":"the stand-in misbehaves"}`},
	}}
}

func TestTrouble(t *testing.T) {
	t.Parallel()
	for _, test := range troubles {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			how, err := json.Marshal(test.how)
			if err != nil {
				t.Fatal(err)
			}
			c := start(t, slices.Concat(test.flags, []string{"--misbehave", string(how)})...)
			if test.make != nil {
				test.make(c)
			}
			c.install(test.status, test.texts, test.args...)
		})
	}
}

// TestOvercome has everything at once that an installation gets over: answers that fail for a while, a lock,
// packages that are half installed or at another version, an older cluster that hides its addresses.
func TestOvercome(t *testing.T) {
	t.Parallel()
	c := start(t, "--version", "1.9.10", "--installed", "influxdb:1.3,grafana:5.0.1-5.1.0", "--misbehave", `{"packageDelay": 10}`)
	how := fault("GET", apps, 502, 4)
	how.Faults = append(how.Faults, fault("PUT", apps, 503, 2).Faults...)
	how.Locked = []string{ingest}
	c.misbehave(how)
	got := c.install(0, []string{
		"status 502", "status 503", "takes its place", "installing package kafka 2.3.0-1.1.0", "package grafana 5.0.1-5.1.0 is there",
		"package influxdb is there in version 1.3, not 1.4: it is kept", "provisioning it from within the cluster",
		"data source and dashboards are in place", "money flows",
	})
	c.followShowsAlerts(got.stdout)
	if dashboards := c.report().Grafana.Dashboards; len(dashboards) < 3 {
		t.Errorf("Grafana has %v, want three dashboards", dashboards)
	}

	t.Log("an uninstall leaves what was there before")
	c.misbehave(standin.Misbehaviour{})
	c.run(c.command("./install-fintrans.sh", "--uninstall", "--yes")).expect(t, 0, "To be left, because it was there before: influxdb, grafana")
	if left := c.report().Apps; len(left) != 2 || left[0] != "/grafana" || left[1] != "/influxdb" {
		t.Errorf("an uninstall leaves %v, want what was there before", left)
	}
}

// TestGrafanasPassword gives one to the package, and then a wrong one.
func TestGrafanasPassword(t *testing.T) {
	t.Parallel()
	c := start(t)
	secret := c.installer()
	secret.Env = append(secret.Env, `GRAFANA_PASSWORD=se"cr\et`)
	c.run(secret).expect(t, 0, "data source and dashboards are in place")
	if got := c.report().Grafana.Password; got != `se"cr\et` {
		t.Errorf("Grafana's password is %q", got)
	}
	c.install(6, []string{"money flows", "Grafana could not be provisioned", "--grafana-password-file"})
}
