package security_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"fintrans/demo/harness"
	"fintrans/test/real"
)

const (
	generator = "generator"
	ingest    = "influx-ingest"
	detector  = "laundering-detector"
)

// resource is what a right is about.
type resource string

// The resources, as the README names them.
const (
	cities        resource = "topics of the cities"
	group         resource = "group `KAFKA_GROUP`"
	alertsTopic   resource = "topic `ALERTS_TOPIC`"
	alertsGroup   resource = "group `KAFKA_GROUP-alerts`"
	pipelineTopic resource = "topic `PIPELINE_TOPIC`"
	pipelineGroup resource = "group `KAFKA_GROUP-pipeline`"
	cluster       resource = "cluster"
)

// The circumstances in which a right is needed, as the README names them.
const (
	always    = "always"
	alerts    = "with `ALERTS_TOPIC`"
	pipeline  = "with `PIPELINE_TOPIC`"
	toCreate  = "to create"
	beforeV28 = "before Kafka 2.8"
)

// right is a row of the README's table: what a service has to be allowed, and what becomes of it without.
type right struct {
	service   string
	needed    string // when
	resource  resource
	operation kadm.ACLOperation
	without   string // as the README says it
	says      string // in its log
	ready     string // the reason in /ready; empty where it is ready all the same
}

// The consequences, as the README names them.
const (
	waits      = "waits, as for a topic that is missing"
	sendsNone  = "sends nothing"
	outside    = "is no member of the group, and reads nothing"
	noAlerts   = "no alert becomes a point; the money flows"
	noPipeline = "what the detector says of itself becomes no point; the money flows"
	unsaid     = "says nothing of itself; all else goes on"
	unheard    = "lines go on, and nothing is committed"
)

// rights are the least that the services need.
var rights = []right{
	{generator, always, cities, kadm.OpWrite, sendsNone, "hidden from user", "topics: "},
	{generator, toCreate, cities, kadm.OpCreate, waits, `the cluster does not allow this to user`, "topics: "},
	{generator, beforeV28, cluster, kadm.OpIdempotentWrite, sendsNone, "the brokers give no producer id", "producer: "},
	{ingest, always, cities, kadm.OpRead, waits, "missing topics: Moscow, or hidden from user", "topics: missing topics: Moscow"},
	{ingest, always, group, kadm.OpRead, outside, "the cluster does not allow this to user", "group: this member is not in the consumer group"},
	{ingest, alerts, alertsTopic, kadm.OpRead, noAlerts, "missing topics: ", "alerts topics: missing topics: "},
	{ingest, alerts, alertsGroup, kadm.OpRead, noAlerts, "the cluster does not allow this to user", "alerts group: this member is not in the consumer group"},
	{ingest, pipeline, pipelineTopic, kadm.OpRead, noPipeline, "missing topics: ", "pipeline topics: missing topics: "},
	{ingest, pipeline, pipelineGroup, kadm.OpRead, noPipeline, "the cluster does not allow this to user", "pipeline group: this member is not in the consumer group"},
	{detector, always, cities, kadm.OpRead, waits, "missing topics: Moscow, or hidden from user", "topics: missing topics: Moscow"},
	{detector, always, group, kadm.OpRead, outside, "the cluster does not allow this to user", "group: this member is not in the consumer group"},
	{detector, alerts, alertsTopic, kadm.OpWrite, unheard, "alerts cannot be published", "alerts: the alert topic"},
	{detector, alerts, alertsTopic, kadm.OpRead, "may repeat alerts after a crash; judging begins 5 s late",
		"the alert topic cannot be read back: alerts that are in it may be repeated", ""},
	{detector, alerts + ", " + toCreate, alertsTopic, kadm.OpCreate, unheard, "the cluster does not allow this to user", "alerts: the alert topic"},
	{detector, alerts + ", " + beforeV28, cluster, kadm.OpIdempotentWrite, unheard, "the brokers give no producer id for the alert topic", "alerts: the alert topic"},
	{detector, pipeline, pipelineTopic, kadm.OpWrite, unsaid, "points for the pipeline topic are dropped", ""},
	{detector, pipeline + ", " + toCreate, pipelineTopic, kadm.OpCreate, unsaid, "the cluster does not allow this to user", ""},
}

// row is the right as the README has it.
func (r right) row() string {
	return fmt.Sprintf("| %s | %s | %s | %s | %s |", r.service, r.needed, r.resource, operationNames[r.operation], r.without)
}

// operationNames are those of Apache Kafka's tools.
var operationNames = map[kadm.ACLOperation]string{
	kadm.OpRead: "Read", kadm.OpWrite: "Write", kadm.OpCreate: "Create", kadm.OpIdempotentWrite: "IdempotentWrite",
}

// TestRightsOfReadme compares the README's table with the rights that are tested.
func TestRightsOfReadme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "<!-- rights -->\n")
	table, _, _ = strings.Cut(table, "<!-- end -->\n")
	want := []string{"| service | needed | on | right | without it |", "|---|---|---|---|---|"}
	for _, r := range rights {
		want = append(want, r.row())
	}
	if got := strings.TrimSpace(table); got != strings.Join(want, "\n") {
		t.Errorf("the README has\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

// ofOldBrokers tells whether only brokers before Kafka 2.8 ask for it.
func (r right) ofOldBrokers() bool { return strings.Contains(r.needed, beforeV28) }

// isToCreate tells whether it is needed only for topics that are not there yet.
func (r right) isToCreate() bool { return r.operation == kadm.OpCreate }

// client is who has rights: a user, and what the settings of his service name.
type client struct{ user, group, alerts, pipeline string }

// alone is a client with a group and topics that nobody else has.
func alone(user string) client { return client{user, user, user + "-alerts", user + "-pipeline"} }

// names are what the resource is called for a client.
func (c client) names(r resource) []string {
	switch r {
	case cities:
		return harness.Cities()
	case group:
		return []string{c.group}
	case alertsTopic:
		return []string{c.alerts}
	case alertsGroup:
		return []string{c.group + "-alerts"}
	case pipelineTopic:
		return []string{c.pipeline}
	case pipelineGroup:
		return []string{c.group + "-pipeline"}
	}
	return []string{""} // the cluster, which has none
}

// acls is the right as a change to the cluster.
func (r right) acls(user string, names []string) *kadm.ACLBuilder {
	b := kadm.NewACLs().Allow("User:" + user).AllowHosts().ResourcePatternType(kadm.ACLPatternLiteral).Operations(r.operation)
	switch {
	case r.resource == cluster:
		return b.Clusters()
	case strings.HasPrefix(string(r.resource), "group"):
		return b.Groups(names...)
	default:
		return b.Topics(names...)
	}
}

// allow gives a client a right to some resources of its kind; none where there are no names.
func (h *house) allow(t *testing.T, c client, r right, names ...string) {
	t.Helper()
	if len(names) == 0 {
		return
	}
	created, err := real.Admin(t, h.Cluster).CreateACLs(t.Context(), r.acls(c.user, names))
	for _, one := range created {
		if err == nil {
			err = one.Err
		}
	}
	if err != nil {
		t.Fatalf("allow user %s %v on %s: %v", c.user, r.operation, r.resource, err)
	}
}

// userToCreate is the user of a service that is to create topics.
func userToCreate(service string) string { return "creating-" + service }

// userOfRow is the user of a service that lacks the right of a row.
func userOfRow(row int) string { return fmt.Sprintf("row-%d", row) }

// admit makes the client a user without rights, unless he is one, and returns the settings of a service that comes as it.
func (h *house) admit(t *testing.T, service string, c client) harness.Env {
	t.Helper()
	mechanism := "PLAIN"
	if h.plain[c.user] == "" {
		mechanism = "SCRAM-SHA-512"
		h.addUser(t, c.user, password)
	}
	env := h.as(mechanism, c.user, password).Env
	if service != generator {
		env["KAFKA_GROUP"], env["ALERTS_TOPIC"], env["PIPELINE_TOPIC"] = c.group, c.alerts, c.pipeline
	}
	return env
}
