package cases

import (
	"regexp"
	"strconv"
	"testing"
	"time"

	"fintrans/demo/harness"
	"fintrans/demo/oracle"
)

// busy is a generator that keeps the others at work: many transactions between few accounts, of which many alert
// by the rule of threeSeconds, again and again.
var (
	busy         = harness.Env{"GEN_WAIT_SEC": "0.001", "GEN_ACCOUNTS": "8", "RING_SPREAD": "5s"}
	threeSeconds = oracle.Rule{Threshold: 5000, Window: 3000}
)

// DrainsUnderLoad ends each of the three services with SIGTERM so many times while transactions flow. Each of them
// drains: what the generator says that it has sent is in the topics, all of that is in InfluxDB, and each alert
// comes once. Nobody has created the alert topic before the first of them.
func DrainsUnderLoad(times int) func(testing.TB, harness.Starter) {
	return func(t testing.TB, start harness.Starter) {
		o := &trio{t: t, s: harness.NewSystem(t, start, harness.Need{})}
		o.in, o.det, o.generator = o.s.Start(ingest, quick), o.s.Start(detector, publishing(rules(threeSeconds, time.Minute))), o.s.Start("generator", busy)
		for range times {
			stored := awaitMore(t, o.s, total(o.s.Volumes()))
			awaitJudged(t, o.det, 1)
			for _, p := range o.services() {
				term(t, p)
				p.Restart()
			}
			awaitMore(t, o.s, stored+300)
		}
		term(t, o.generator)
		log := o.settle(threeSeconds)
		if sent := acknowledged(t, o.generator); sent != len(log) {
			t.Errorf("the generator has sent %d transactions as it says, %d are in the topics", sent, len(log))
		}
		o.repeatsNothing(alerts(t, o.det))
	}
}

// repeatsNothing fails for transactions that set off an alert twice: nobody was killed. The alert topic knows which
// transaction set off which alert; a line does not.
func (o *trio) repeatsNothing(got []oracle.Alert) {
	o.t.Helper()
	different, repeats := once(published(o.t, o.s))
	if repeats > 0 || len(got) != len(different) {
		o.t.Errorf("%d alerts were published, and %d of them again; there are %d lines", len(different), repeats, len(got))
	}
	if len(got) < 20 {
		o.t.Errorf("%d alerts are too few to show anything", len(got))
	}
}

var doneSending = regexp.MustCompile(`msg="done sending".* sent=([0-9]+) `)

// acknowledged is what a generator says at the end of its lives that it has sent.
func acknowledged(t testing.TB, generator *harness.Process) int {
	t.Helper()
	sum := 0
	for _, entry := range generator.Log() {
		if found := doneSending.FindStringSubmatch(entry); found != nil {
			n, err := strconv.Atoi(found[1])
			if err != nil {
				t.Fatal(err)
			}
			sum += n
		}
	}
	return sum
}

// ConsumersScaleUnderLoad runs one, four, two, six and one instance of both consumers, again and again, while
// transactions flow: each of those is one point, and alerts as it should, once.
func ConsumersScaleUnderLoad(rounds int) func(testing.TB, harness.Starter) {
	return func(t testing.TB, start harness.Starter) {
		o := &trio{t: t, s: harness.NewSystem(t, start, harness.Need{})}
		o.s.CreateTopics(6, alertsTo)
		o.generator = o.s.Start("generator", busy)
		groups := []*instances{{service: ingest, env: quick}, {service: detector, env: publishing(rules(threeSeconds, time.Minute))}}
		for range rounds {
			for _, n := range []int{1, 4, 2, 6, 1} {
				for _, g := range groups {
					g.resize(t, o.s, n)
				}
				for _, g := range groups {
					o.s.AwaitMembers(g.service, n)
				}
				awaitMore(t, o.s, total(o.s.Volumes())+500)
			}
		}
		term(t, o.generator)
		log := o.s.Log(harness.Cities()...)
		o.s.AwaitVolumes(volumes(log))
		for _, g := range groups {
			o.s.AwaitCommitted(g.service, harness.Cities()...)
			g.resize(t, o.s, 0)
		}
		got := alertsOf(t, groups[1].all...)
		report(t, threeSeconds.Check(got, transfers(log)))
		o.repeatsNothing(got)
		t.Logf("%d transactions, %d alerts of %d instances", len(log), len(got), len(groups[1].all))
	}
}

// instances are those of a service.
type instances struct {
	service      string
	env          harness.Env
	running, all []*harness.Process
}

// resize starts instances, or ends the oldest with SIGTERM, until so many run.
func (i *instances) resize(t testing.TB, s *harness.System, n int) {
	t.Helper()
	for len(i.running) < n {
		p := s.Start(i.service, i.env)
		i.running, i.all = append(i.running, p), append(i.all, p)
	}
	term(t, i.running[:len(i.running)-n]...)
	i.running = i.running[len(i.running)-n:]
}
