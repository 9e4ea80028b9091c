package cases

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"fintrans/demo/harness"
)

// Access is a way into a Kafka that does not let everybody in.
type Access struct {
	// Env are the settings with which all three services come, BROKER among them.
	Env harness.Env
	// Of are further settings of single services.
	Of map[string]harness.Env
	// Secrets are what nobody may ever see of them.
	Secrets []string
	// Creates leaves the topics to the services.
	Creates bool
}

// Admitted runs all three services, with the alert topic and the pipeline topic, and everything that they can
// say in their logs: each transaction is one point, alerts are as they should be and published, and no
// secret is to be seen.
func Admitted(a Access) func(testing.TB, harness.Starter) {
	return func(t testing.TB, start harness.Starter) {
		s := harness.NewSystem(t, start, harness.Need{Partitions: harness.NoTopics})
		if !a.Creates {
			s.CreateTopics(6, append(harness.Cities(), alertsTo)...)
			s.CreateTopics(1, pipelineTo)
		}
		o := &trio{
			t: t, s: s,
			in:  s.Start(ingest, reporting(publishing(merged(a.settings(ingest), quick)))),
			det: s.Start(detector, reporting(publishing(a.settings(detector)))),
		}
		o.generator = s.Start("generator", merged(a.settings("generator"), harness.Env{
			"GEN_WAIT_SEC": "0.0005", "GEN_ACCOUNTS": "30", "RING_SPREAD": "1s",
		}))
		o.generator.AwaitReady() // it goes on for as long as it is looked at
		o.hides(a.Secrets, o.generator)
		const enough = 3000
		harness.Eventually(t, func() (bool, string) {
			sent, _ := o.generator.Metric("generator_transactions_total", nil)
			return sent >= enough, fmt.Sprintf("the generator has sent %v transactions, want %d", sent, enough)
		})
		term(t, o.generator)
		number := len(s.Log(harness.Cities()...))
		if said := acknowledged(t, o.generator); said != number {
			t.Errorf("the generator says that it has sent %d transactions, and there are %d", said, number)
		}
		o.in.AwaitReady()
		o.det.AwaitReady()
		awaitJudged(t, o.det, number)
		awaitPublished(t, o.det, 1)
		different, _ := once(published(t, s))
		awaitAlertPoints(t, s, different)
		if len(a.Of) > 0 { // with rights of their own: also to the pipeline topic, which has something every 10 s
			harness.Eventually(t, func() (bool, string) {
				cities := len(reported(s, detector, "records", "city"))
				return cities == 5, fmt.Sprintf("the detector has reported of %d cities, want 5", cities)
			})
		}
		o.hides(a.Secrets, o.in, o.det)
		o.settle(byDefault)
		for _, p := range o.services() {
			report(t, logged(p, a.Secrets))
		}
	}
}

// settings are those of a service, with a log that says everything.
func (a Access) settings(service string) harness.Env {
	return with(merged(a.Env, a.Of[service]), "LOG_LEVEL", "trace")
}

// hides looks for secrets in what services show while they run.
func (o *trio) hides(secrets []string, processes ...*harness.Process) {
	o.t.Helper()
	for _, p := range processes {
		report(o.t, shown(p, secrets))
	}
}

// shown are the places in which a running service shows a secret.
func shown(p *harness.Process, secrets []string) []error {
	places := map[string]string{"the process list": p.CommandLine()}
	for _, page := range []string{"/", "/health", "/ready", "/metrics"} {
		_, places[page] = p.Get(page)
	}
	return slices.Concat(found(p, places, secrets), logged(p, secrets))
}

// logged tells whether a service has logged a secret.
func logged(p *harness.Process, secrets []string) []error {
	return found(p, map[string]string{"its log": strings.Join(p.Log(), "\n")}, secrets)
}

func found(p *harness.Process, places map[string]string, secrets []string) []error {
	var wrong []error
	for _, place := range slices.Sorted(maps.Keys(places)) {
		for i, secret := range secrets {
			if strings.Contains(places[place], secret) {
				wrong = append(wrong, fmt.Errorf("%v shows secret %d in %s", p, i, place))
			}
		}
	}
	return wrong
}

// Refused starts all three services with an access that is none: each says in one sentence what is wrong, goes
// on trying, is healthy and not ready, and shows no secret. Then mend puts it right, where it is not nil, and they
// are ready.
func Refused(a Access, sentence string, mend func()) func(testing.TB, harness.Starter) {
	return func(t testing.TB, start harness.Starter) {
		s := harness.NewSystem(t, start, harness.Need{Partitions: harness.NoTopics})
		var all []*harness.Process
		for _, service := range services {
			all = append(all, s.Start(service, a.settings(service)))
		}
		for _, p := range all {
			p.AwaitLog(sentence)
			awaitNotReady(t, p, "no broker was reached yet")
			if status, body := p.Get("/health"); status != 200 {
				t.Errorf("/health of %v answers %d, %q, want 200", p, status, body)
			}
			report(t, shown(p, a.Secrets))
		}
		if mend != nil {
			mend()
			for _, p := range all {
				p.AwaitReady()
			}
		}
		term(t, all...)
		for _, p := range all {
			report(t, logged(p, a.Secrets))
		}
	}
}

// SecretsAreFound is the control of the search for secrets: it finds one that was given to settings which may be seen.
func SecretsAreFound(t testing.TB, _ harness.Starter) {
	for _, service := range []string{ingest, detector} {
		p := harness.Start(t, service, merged(nowhere(service), harness.Env{
			"BROKER": secret + ".invalid:1", "ALERTS_TOPIC": secret, "LOG_LEVEL": "debug",
		}), harness.Options{Args: []string{"--kafka-group=" + secret}})
		awaitNotReady(t, p, "no broker was reached yet")
		p.AwaitLog("Kafka cannot be reached")
		want := []string{"/ready", "its log", "the process list"}
		for _, place := range want {
			if wrong := fmt.Sprint(shown(p, []string{"another", secret})); !strings.Contains(wrong, "secret 1 in "+place) || strings.Contains(wrong, "secret 0") {
				t.Errorf("%v: the secret was found in %v, want %v among them and no other", p, wrong, want)
			}
		}
		term(t, p)
	}
}

// merged returns the settings of both, those of the second where both have one.
func merged(env, more harness.Env) harness.Env {
	all := maps.Clone(env)
	if all == nil {
		all = harness.Env{}
	}
	maps.Copy(all, more)
	return all
}
