package standin

import (
	"fmt"
	"strings"
	"testing"

	"fintrans/demo/harness"
)

const appsPath = "/service/marathon/v2/apps"

// app reads the app.
func (k *client) app() map[string]any {
	k.t.Helper()
	return k.want(200, "", "GET", appsPath+"/fintrans/x", "")["app"].(map[string]any)
}

func (k *client) await(what string, holds func(app map[string]any) bool) {
	k.t.Helper()
	harness.Eventually(k.t, func() (bool, string) {
		app := k.app()
		return holds(app), fmt.Sprintf("%s: %v", what, app)
	})
}

func TestTaskThatEndsIsStartedAgainLater(t *testing.T) {
	k := newClient(t, Options{})
	k.want(201, "", "POST", appsPath, `{"id":"/fintrans/x","cmd":"exit 0","cpus":0.1,"mem":32,"backoffSeconds":0.2,"backoffFactor":2,"maxLaunchDelaySeconds":0.4}`)
	harness.Eventually(t, func() (bool, string) {
		report := k.c.report()
		return len(report.Tasks) >= 4, fmt.Sprint(report.Tasks)
	})
	if last := k.app()["lastTaskFailure"].(map[string]any); last["state"] != "TASK_FINISHED" {
		t.Errorf("lastTaskFailure is %v", last)
	}
}

func TestUpgradeWithoutRoomStopsFirst(t *testing.T) {
	k := newClient(t, Options{})
	define := func(version string) string {
		return `{"id":"/fintrans/x","cmd":"echo ` + version + `; exec sleep 1000","cpus":0.1,"mem":32,"instances":2,"taskKillGracePeriodSeconds":5,
			"upgradeStrategy":{"minimumHealthCapacity":0,"maximumOverCapacity":0}}`
	}
	settled := func(app map[string]any) bool {
		return app["tasksRunning"] == 2.0 && len(app["deployments"].([]any)) == 0
	}
	k.want(201, "", "PUT", appsPath+"/fintrans/x", define("one"))
	k.await("first", settled)
	k.want(200, "", "PUT", appsPath+"/fintrans/x", define("two"))
	k.await("second", settled)
	report := k.c.report()
	if len(report.Tasks) != 4 || !report.Tasks[2].Ended || report.Tasks[2].State != "TASK_KILLED" {
		t.Errorf("tasks are %+v, want two that live and two that were killed", report.Tasks)
	}
	k.want(200, "", "PUT", appsPath+"/fintrans/x", `{"instances":1}`)
	k.await("smaller", func(app map[string]any) bool {
		return app["tasksRunning"] == 1.0 && len(app["deployments"].([]any)) == 0
	})
	if n := len(k.c.report().Tasks); n != 4 {
		t.Errorf("%d tasks, want 4: one that lives on was not started anew", n)
	}
}

func TestWhatDoesNotFitWaitsInTheQueue(t *testing.T) {
	k := newClient(t, Options{CPUs: 1, Mem: 1000})
	k.want(201, "", "PUT", appsPath+"/fintrans/x", `{"id":"/fintrans/x","cmd":"sleep 1000","cpus":2,"mem":32}`)
	harness.Eventually(t, func() (bool, string) {
		_, body := k.send("GET", "/service/marathon/v2/queue", "tok", "")
		return strings.Contains(string(body), `"reason":"InsufficientCpus"`), string(body)
	})
}

func TestHealthChecksKillOnlyWhereTheyMay(t *testing.T) {
	for most, killed := range map[int]bool{0: false, 2: true} {
		k := newClient(t, Options{})
		k.want(201, "", "POST", appsPath, fmt.Sprintf(`{"id":"/fintrans/x","cmd":"exec sleep 1000","cpus":0.1,"mem":32,"portDefinitions":[{"port":0}],
			"healthChecks":[{"path":"/","portIndex":0,"gracePeriodSeconds":0,"intervalSeconds":0.1,"maxConsecutiveFailures":%d}]}`, most))
		harness.Eventually(t, func() (bool, string) {
			report := k.c.report()
			return killed && len(report.Tasks) > 1 || !killed && k.app()["tasksUnhealthy"] == 1.0, fmt.Sprint(report.Tasks)
		})
		if n := len(k.c.report().Tasks); !killed && n != 1 {
			t.Errorf("%d tasks, although the check may not kill", n)
		}
	}
}
