package chaos

import (
	"slices"
	"sync"
	"time"
)

// life is one life of an instance of a service.
type life struct {
	service  string
	instance int
	number   int // from 1
}

// Standstill is a time without progress of a service.
type Standstill struct {
	Longest time.Duration // whatever was the matter
	Quiet   time.Duration // while no fault of the servers or the network was on
}

// progress follows the counters of all instances: how long a service as a whole stands still, and how long it takes
// from the end of a fault to the next progress. It is safe for concurrent use.
type progress struct {
	mu         sync.Mutex
	value      map[life]float64
	moved      map[string]time.Time // when the service has made progress last
	quiet      map[string]time.Time // the same, or when the last fault of the servers ended
	active     map[string]int       // faults that are on, by lane
	stood      map[string]Standstill
	waiting    []*expectation
	recoveries map[string]Recovery // by row
}

// Recovery is how long it took, each time, from the end of a kind of fault to the next progress: that of the instance
// that was hit, or of all services that the fault concerned.
type Recovery struct {
	Alone  []time.Duration // while nothing else was the matter
	Others []time.Duration // while another fault was on, or has come in between
}

// expectation is a recovery that has not come yet.
type expectation struct {
	row    string
	lane   string
	since  time.Time
	who    []life // all of these; instance is anyInstance, or number is the first life that counts
	others bool   // another fault was on, or has come in between
}

// anyInstance as the instance of an expectation is each of the service.
const anyInstance = -1

func newProgress(began time.Time) *progress {
	p := &progress{
		value: map[life]float64{}, moved: map[string]time.Time{}, quiet: map[string]time.Time{},
		active: map[string]int{}, stood: map[string]Standstill{}, recoveries: map[string]Recovery{},
	}
	p.restart(began)
	return p
}

// restart forgets the standstills so far.
func (p *progress) restart(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.stood)
	for _, service := range services() {
		p.moved[service], p.quiet[service] = now, now
	}
}

// saw notes a counter's value of a life, which counts what its service is for.
func (p *progress) saw(at time.Time, l life, value float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.value[l]
	if value <= before {
		return
	}
	p.value[l] = value
	p.stand(at, l.service)
	p.moved[l.service], p.quiet[l.service] = at, at
	p.waiting = slices.DeleteFunc(p.waiting, func(e *expectation) bool { return p.met(e, at, l) })
}

// met reports whether all has come that was expected, and notes the recovery then.
func (p *progress) met(e *expectation, at time.Time, l life) bool {
	if !at.After(e.since) {
		return false
	}
	e.who = slices.DeleteFunc(e.who, func(who life) bool {
		return who.service == l.service && (who.instance == anyInstance || who.instance == l.instance && l.number >= who.number)
	})
	if len(e.who) > 0 {
		return false
	}
	r := p.recoveries[e.row]
	if e.others {
		r.Others = append(r.Others, at.Sub(e.since))
	} else {
		r.Alone = append(r.Alone, at.Sub(e.since))
	}
	p.recoveries[e.row] = r
	return true
}

// stand notes how long a service has stood still until now.
func (p *progress) stand(now time.Time, service string) {
	s := p.stood[service]
	s.Longest = max(s.Longest, now.Sub(p.moved[service]))
	if p.active[serversLane] == 0 {
		s.Quiet = max(s.Quiet, now.Sub(p.quiet[service]))
	}
	p.stood[service] = s
}

// expect waits for the progress of services, or of instances from a life on: of all that are named.
func (p *progress) expect(f Fault, since time.Time, who ...life) {
	if len(who) == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	e := &expectation{row: f.Row(), lane: laneOf(f.Kind), since: since, who: who}
	for lane, faults := range p.active {
		e.others = e.others || lane != e.lane && faults > 0
	}
	for _, other := range p.waiting {
		e.others = e.others || other.lane != e.lane
	}
	p.waiting = append(p.waiting, e)
}

// giveUp forgets what is expected of an instance: it is hit again, or wanted no more.
func (p *progress) giveUp(service string, instance int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = slices.DeleteFunc(p.waiting, func(e *expectation) bool {
		return slices.ContainsFunc(e.who, func(l life) bool { return l.service == service && l.instance == instance })
	})
}

// last returns when a service has made progress last.
func (p *progress) last(service string) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.moved[service]
}

// total adds up what all lives of a service have counted.
func (p *progress) total(service string) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	sum := 0.0
	for l, value := range p.value {
		if l.service == service {
			sum += value
		}
	}
	return int64(sum)
}

// begins says that a fault of the lane begins.
func (p *progress) begins(now time.Time, lane string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, service := range services() {
		p.stand(now, service)
	}
	p.active[lane]++
	for _, e := range p.waiting {
		e.others = true
	}
}

// healed says that it has ended.
func (p *progress) healed(now time.Time, lane string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.active[lane]--
	if lane == serversLane {
		for _, service := range services() {
			p.quiet[service] = now
		}
	}
}

// end returns the standstills and the recoveries, by row, each in order.
func (p *progress) end(now time.Time) (map[string]Standstill, map[string]Recovery) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, service := range services() {
		p.stand(now, service)
	}
	for _, r := range p.recoveries {
		slices.Sort(r.Alone)
		slices.Sort(r.Others)
	}
	return p.stood, p.recoveries
}
