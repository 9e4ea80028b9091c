package security_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"fintrans/demo/cases"
	"fintrans/demo/harness"
	"fintrans/test/real"
	"fintrans/test/realkafka"
)

// TestRights runs the services on the newest brokers with the rights of the table: they are enough, and without any
// one of them the service says what it lacks, is not ready where it cannot do its job, and goes on when it gets it.
func TestRights(t *testing.T) {
	t.Parallel()
	h := newHouse(t, realkafka.Kafka4, true)
	here := func(r right) bool { return !r.ofOldBrokers() }
	h.suffice(t, "ToCreate", here, true)
	h.suffice(t, "OnTopicsThatAreThere", func(r right) bool { return here(r) && !r.isToCreate() }, false)
	h.areNeeded(t, here)
}

// TestRightsBefore28 does so on brokers that ask for one more, for the rights that are about producers.
func TestRightsBefore28(t *testing.T) {
	t.Parallel()
	var users []string // they cannot be added over Kafka's protocol
	for _, service := range []string{generator, ingest, detector} {
		users = append(users, userToCreate(service))
	}
	for i := range rights {
		users = append(users, userOfRow(i))
	}
	h := newHouse(t, realkafka.Kafka24, true, users...)
	h.suffice(t, "ToCreate", func(right) bool { return true }, true)
	h.areNeeded(t, right.ofOldBrokers)
}

// suffice runs all three services, each with the rights of the table that are chosen.
func (h *house) suffice(t *testing.T, name string, chosen func(right) bool, creates bool) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		a := cases.Access{Env: harness.Env{}, Secrets: []string{password}, Creates: creates, Of: map[string]harness.Env{}}
		for _, service := range []string{generator, ingest, detector} {
			c := client{service, service, "alerts", "pipeline"}
			if creates {
				c.user = userToCreate(service)
			}
			a.Of[service] = h.admit(t, service, c)
			for _, r := range rights {
				if r.service == service && chosen(r) {
					h.allow(t, c, r, c.names(r.resource)...)
				}
			}
		}
		cases.Admitted(a)(t, real.On(h.Cluster))
	})
}

// attempt is a service that lacks one right.
type attempt struct {
	right
	client
	lacks []string // names of the resource
	*harness.Process
}

// areNeeded runs a service for each right that is chosen, with all the others.
func (h *house) areNeeded(t *testing.T, chosen func(right) bool) {
	t.Helper()
	t.Run("OneLess", func(t *testing.T) {
		s := harness.NewSystem(t, real.On(h.Cluster), harness.Need{Partitions: harness.NoTopics})
		s.Binaries = impatient(t)
		createCities := func(r right) bool { return chosen(r) && r.service == generator && r.isToCreate() }
		if slices.ContainsFunc(rights, createCities) {
			h.oneLess(t, s, createCities) // which has the topics in the end
		} else {
			s.CreateTopics(6, harness.Cities()...)
		}
		s.Produce(harness.Transfer("London", time.UnixMilli(time.Now().UnixMilli()), 1, 2, 10_001)) // an alert for each detector
		h.oneLess(t, s, func(r right) bool { return chosen(r) && !createCities(r) })
	})
}

func (h *house) oneLess(t *testing.T, s *harness.System, chosen func(right) bool) {
	t.Helper()
	var attempts []attempt
	for i, r := range rights {
		if chosen(r) {
			attempts = append(attempts, h.attempt(t, s, i))
		}
	}
	for _, a := range attempts {
		a.AwaitLog(a.says)
		harness.Eventually(t, func() (bool, string) {
			status, body := a.Get("/ready")
			wanted := status == http.StatusOK && a.ready == "" || status == http.StatusServiceUnavailable && a.ready != "" && strings.Contains(body, a.ready)
			return wanted, fmt.Sprintf("/ready of %v without %v on %s answers %d, %q, want %q", a, a.operation, a.resource, status, body, a.ready)
		})
	}
	for _, a := range attempts {
		h.allow(t, a.client, a.right, a.lacks...)
	}
	for _, a := range attempts {
		a.AwaitReady()
		if status := a.Term(); status != 0 {
			t.Errorf("%v: exit status %d after SIGTERM, want 0", a, status)
		}
	}
}

// attempt starts a service with all its rights but one: where that is about several topics, it lacks one of them.
func (h *house) attempt(t *testing.T, s *harness.System, row int) attempt {
	t.Helper()
	a := attempt{right: rights[row], client: alone(userOfRow(row))}
	env := h.admit(t, a.service, a.client)
	all := a.names(a.resource)
	if a.lacks = all; a.resource == cities {
		a.lacks = []string{"Moscow"}
	}
	for i, r := range rights {
		switch {
		case r.service != a.service:
		case i == row:
			h.allow(t, a.client, r, slices.DeleteFunc(slices.Clone(all), func(name string) bool { return slices.Contains(a.lacks, name) })...)
		default:
			h.allow(t, a.client, r, a.names(r.resource)...)
		}
	}
	if a.service != generator {
		for partitions, r := range map[int32]resource{6: alertsTopic, 1: pipelineTopic} {
			if !a.isToCreate() || a.resource != r {
				s.CreateTopics(partitions, a.names(r)...)
			}
		}
	}
	if a.operation == kadm.OpRead && a.resource == alertsTopic { // there is something to read back
		for partition := range int32(6) {
			s.Produce(harness.Record{City: a.alerts, Partition: partition, Value: []byte("no alert"), Time: time.Now()})
		}
	}
	a.Process = s.Start(a.service, env)
	return a
}

// impatient are services that say within seconds why they are not ready.
func impatient(t *testing.T) map[string]string {
	t.Helper()
	shorten := func(file, before, long string) harness.Mutation {
		return harness.Mutation{File: file, Old: before + long, New: before + "time.Second"}
	}
	group := shorten("internal/consume/group.go", "joined: service.NewCondition(", "60 * time.Second")
	return map[string]string{
		generator: harness.FastMutant(t, generator),
		ingest:    harness.FastMutant(t, ingest, group, shorten("influx-ingest/main.go", "topicPatience = ", "60 * time.Second")),
		detector:  harness.FastMutant(t, detector, group, shorten("laundering-detector/trouble.go", "service.NewCondition(", "30 * time.Second")),
	}
}
