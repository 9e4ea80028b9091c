package chaos

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"fintrans/internal/service"
)

// environment is all that a life of a service is told.
func (r *run) environment(l life) []string {
	env := map[string]string{
		"BROKER":     r.servers.brokersFor(l.service),
		"LISTEN":     "127.0.0.1:0",
		"LOG_FORMAT": "json",
	}
	switch l.service {
	case Generator:
		env["GEN_WAIT_SEC"] = service.Seconds(float64(time.Second) / r.Rate).String()
		// Each life begins a sequence of transactions, and it is not to be the same again.
		env["GEN_SEED"] = fmt.Sprint(r.Seed%1_000_000*1000 + uint64(l.number))
		env["RING_SPREAD"], env["RING_SHARE"] = ringSpread.String(), "0.03"
		return list(env)
	case Ingest:
		env["INFLUX_API"] = "http://" + r.servers.way
	case Detector:
		env["ALERT_THRESHOLD"] = fmt.Sprint(theRule.Threshold)
		env["ALERT_WINDOW"] = (time.Duration(theRule.Window) * time.Millisecond).String()
	}
	env["ALERTS_TOPIC"], env["PIPELINE_TOPIC"] = alertTopic, pipelineTopic
	return list(env)
}

func list(env map[string]string) []string {
	var environment []string
	for name, value := range env {
		environment = append(environment, name+"="+value)
	}
	return environment
}

// fleet are the instances of the services that are wanted. It is safe for concurrent use.
type fleet struct {
	mu        sync.Mutex
	instances map[string][]*instance
	lives     map[string]map[int]int // that an instance's number has had, of instances that are gone
}

func newFleet() *fleet {
	f := &fleet{instances: map[string][]*instance{}, lives: map[string]map[int]int{}}
	for _, service := range services() {
		f.lives[service] = map[int]int{}
	}
	return f
}

// of returns the instances of a service.
func (f *fleet) of(service string) []*instance {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.instances[service])
}

// all returns the instances of all services.
func (f *fleet) all() []*instance {
	var all []*instance
	for _, service := range services() {
		all = append(all, f.of(service)...)
	}
	return all
}

// pick returns an instance, counted on where there are fewer.
func (f *fleet) pick(service string, number int) *instance {
	own := f.of(service)
	return own[number%len(own)]
}

// scale makes it so many instances of a service, and returns the lives of those that are new. Those too many end in
// an orderly way; the statuses with which they do are returned as well.
func (r *run) scale(service string, count int) (began []life, statuses []int, err error) {
	f := r.fleet
	for {
		own := f.of(service)
		switch {
		case len(own) < count:
			i, err := r.start(service, len(own), f.lives[service][len(own)])
			if err != nil {
				return began, statuses, err
			}
			f.mu.Lock()
			f.instances[service] = append(f.instances[service], i)
			f.mu.Unlock()
			began = append(began, i.current())
		case len(own) > count:
			last := own[len(own)-1]
			f.mu.Lock()
			f.instances[service] = own[:len(own)-1]
			f.mu.Unlock()
			r.progress.giveUp(service, last.number)
			statuses = append(statuses, last.stop())
			f.lives[service][last.number] = last.current().number
		default:
			return began, statuses, nil
		}
	}
}

// killAll ends what runs still.
func (f *fleet) killAll() {
	for _, i := range f.all() {
		i.child.Kill()
		_ = i.log.Close()
	}
}
