package cases

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"fintrans/demo/harness"
)

// DetectorsScaleUnderLoad starts and ends instances while transactions come in: one, three, seven on six
// partitions, three, one. Nothing is lost and, because nothing is killed, nothing repeated. Windows whose partition stays
// where it is are not read back.
func DetectorsScaleUnderLoad(t testing.TB, start harness.Starter) {
	f := &fleet{t: t, s: harness.NewSystem(t, start, harness.Need{})}
	traffic := startStream(t, f.s, mixed(17), load)
	for _, by := range []int{1, 2, 4} {
		f.grow(by)
		f.awaitBalance()
	}
	for _, p := range f.running {
		p.AwaitReady() // the one that stands by, too
	}
	for _, by := range []int{4, 2} {
		f.shrink(by)
		f.awaitBalance()
	}
	if repeats := f.end(traffic); repeats > 0 {
		t.Errorf("%d alerts were repeated without a kill", repeats)
	}
	if !slices.ContainsFunc(f.all, keptAWindow) {
		t.Error("no detector has kept a window while others came and went")
	}
}

func keptAWindow(p *harness.Process) bool {
	return slices.ContainsFunc(p.Log(), func(line string) bool { return strings.Contains(line, "the window is kept") })
}

// DetectorsKilledUnderLoad kills one of three instances again and again while transactions come in. The others
// take over before it comes back.
func DetectorsKilledUnderLoad(t testing.TB, start harness.Starter) {
	f := &fleet{t: t, s: harness.NewSystem(t, start, harness.Need{})}
	f.grow(3)
	traffic := startStream(t, f.s, mixed(19), load)
	f.awaitBalance()
	for range 3 {
		f.kill()
		f.awaitBalance()
		f.grow(1)
		f.awaitBalance()
	}
	f.end(traffic)
}

// fleet are the instances of a detector.
type fleet struct {
	t       testing.TB
	s       *harness.System
	running []*harness.Process
	all     []*harness.Process
}

func (f *fleet) grow(by int) {
	f.t.Helper()
	for range by {
		p := f.s.Start(detector, rules(tenMinutes, 10*time.Minute))
		f.running, f.all = append(f.running, p), append(f.all, p)
	}
}

// shrink ends the oldest instances with SIGTERM.
func (f *fleet) shrink(by int) {
	f.t.Helper()
	term(f.t, f.running[:by]...)
	f.running = f.running[by:]
}

// kill ends the oldest instance with SIGKILL.
func (f *fleet) kill() {
	f.t.Helper()
	f.running[0].Kill()
	f.running = f.running[1:]
}

// end stops the traffic and, when all is judged, the instances. It checks the alerts of all that ever ran, and
// that whoever had a partition had it of all topics, always. It returns how many alerts were repeated.
func (f *fleet) end(traffic *stream) (repeats int) {
	f.t.Helper()
	records := traffic.stop()
	f.s.AwaitCommitted(detector, harness.Cities()...)
	f.shrink(len(f.running))
	for _, p := range f.all {
		for _, session := range sessions(p) {
			if !session.whole() {
				f.t.Errorf("%v had %q: not the same partitions of all topics", p, session.claims)
			}
		}
	}
	return judgeAlerts(f.t, tenMinutes, alertsOf(f.t, f.all...), records)
}

// awaitBalance waits until the running instances, and they alone, have the partitions among them, as evenly
// as can be, and judge on: an alert or more has come since.
func (f *fleet) awaitBalance() {
	f.t.Helper()
	harness.Eventually(f.t, func() (bool, string) {
		var last []session
		for _, p := range f.running {
			if own := sessions(p); len(own) > 0 {
				last = append(last, own[len(own)-1])
			}
		}
		return balanced(last, len(f.running)), fmt.Sprintf("%d instances have the sessions %+v", len(f.running), last)
	})
	written := f.lines()
	harness.Eventually(f.t, func() (bool, string) {
		return f.lines() > written, "the instances write no alert any more"
	})
}

// lines is how many lines the running instances have written, as far as they have been read.
func (f *fleet) lines() int {
	n := 0
	for _, p := range f.running {
		n += len(p.Stdout())
	}
	return n
}

// session is what an instance was given at a rebalance, as its log tells.
type session struct{ claims, generation string }

var sessionBegan = regexp.MustCompile(`msg="session began" claims="([^"]*)" generation=([0-9]+)`)

// sessions are all that a process had so far.
func sessions(p *harness.Process) []session {
	var all []session
	for _, entry := range p.Log() {
		if found := sessionBegan.FindStringSubmatch(entry); found != nil {
			all = append(all, session{claims: found[1], generation: found[2]})
		}
	}
	return all
}

// partitions are the numbers that the session has of the topic, such as 0,1.
func (s session) partitions(topic string) string {
	for claim := range strings.FieldsSeq(s.claims) {
		if numbers, ok := strings.CutPrefix(claim, topic+"/"); ok {
			return numbers
		}
	}
	return ""
}

// whole reports whether the session has the same partitions of all topics.
func (s session) whole() bool {
	for _, city := range harness.Cities() {
		if s.partitions(city) != s.partitions("London") {
			return false
		}
	}
	return true
}

// balanced reports whether the sessions are those of all members of one generation, share six partitions, and
// none has two more than another.
func balanced(sessions []session, members int) bool {
	var all []string
	for _, s := range sessions {
		if s.generation != sessions[0].generation {
			return false
		}
		own := strings.FieldsFunc(s.partitions("London"), func(r rune) bool { return r == ',' })
		if len(own) < 6/members || len(own) > (6+members-1)/members {
			return false
		}
		all = append(all, own...)
	}
	slices.Sort(all)
	return len(sessions) == members && strings.Join(all, ",") == "0,1,2,3,4,5"
}
