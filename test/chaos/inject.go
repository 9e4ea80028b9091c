package chaos

import (
	"fmt"
	"slices"
	"syscall"
	"time"

	"fintrans/demo/embedded"
)

func (l lane) has(kind Kind) bool { return slices.Contains(l.kinds, kind) }

// inject makes a fault happen and heals it, after its time or when the run is to end. An error is one of the
// servers, which did not come back.
func (r *run) inject(f Fault) error {
	lane := laneOf(f.Kind)
	r.progress.begins(time.Now(), lane)
	since, who, err := r.befall(f)
	r.progress.healed(time.Now(), lane)
	r.progress.expect(f, since, who...)
	if err != nil {
		return fmt.Errorf("%v: %w", f, err)
	}
	if f.takes(r.Shape) > 0 {
		r.say("healed: %s", f.Row())
	}
	return nil
}

// befall returns since when it is healed, or what was to be killed is dead, and who has to make progress then.
func (r *run) befall(f Fault) (since time.Time, who []life, err error) {
	switch f.Kind {
	case Kill, Terminate, Freeze:
		since, who = r.hit(f)
		return since, who, nil
	case Scale:
		who, _, err = r.scale(f.Service, f.Count)
	case Roll:
		who = r.roll()
	default:
		who, err = r.disturb(f)
	}
	return time.Now(), who, err
}

// hit does something to one instance.
func (r *run) hit(f Fault) (since time.Time, who []life) {
	i := r.fleet.pick(f.Service, f.Instance)
	r.progress.giveUp(i.service, i.number)
	since = time.Now()
	switch f.Kind {
	case Kill:
		return since, []life{i.end(syscall.SIGKILL)}
	case Terminate:
		return since, []life{i.terminate()}
	}
	who = []life{i.current()}
	i.child.Signal(syscall.SIGSTOP)
	r.pause(f.Lasts)
	i.child.Signal(syscall.SIGCONT)
	return time.Now(), who
}

// roll restarts all instances, each when the one before listens again.
func (r *run) roll() (who []life) {
	for _, i := range r.fleet.all() {
		if r.Soft.Err() != nil {
			return nil
		}
		r.progress.giveUp(i.service, i.number)
		l := i.terminate()
		who = append(who, l)
		r.await(r.Soft, drainWithin, func() bool { current, url := i.address(); return current == l && url != "" })
	}
	return who
}

// anyOf is any instance of each of the services.
func anyOf(services ...string) []life {
	var who []life
	for _, service := range services {
		who = append(who, life{service, anyInstance, 0})
	}
	return who
}

// disturb does something to servers or network and heals it. It returns who has to make progress then.
func (r *run) disturb(f Fault) ([]life, error) {
	s, everybody := r.servers, anyOf(services()...)
	switch f.Kind {
	case BrokerKill:
		return everybody, r.withoutBrokers(f, f.Broker)
	case BrokersAway:
		return everybody, r.withoutBrokers(f)
	case BrokerRoll:
		for broker := range r.Brokers {
			if err := s.kafka.Stop(broker); err != nil {
				return everybody, err
			}
			if err := s.kafka.Up(r.Hard, broker); err != nil {
				return everybody, err
			}
		}
		return everybody, nil
	case InfluxKill:
		s.front.Down()
		if err := s.influx.Kill(); err != nil {
			return nil, err
		}
		r.pause(f.Lasts)
		if err := s.influx.Up(r.Hard); err != nil {
			return nil, err
		}
		return anyOf(Ingest), s.front.Up()
	case InfluxFails:
		s.front.Fail(f.Answer.fault)
		r.pause(f.Lasts)
		s.front.Fail(embedded.Fault{})
		return anyOf(Ingest), nil
	case PartitionAdd:
		return everybody, r.grow(f)
	}
	target := networkTarget{f.Service, f.Broker}
	if err := s.network.fail(f.Kind, target); err != nil {
		return nil, err
	}
	r.pause(f.Lasts)
	return anyOf(f.Service), s.network.heal(r.Hard, target)
}

// withoutBrokers kills brokers, all where none is given, and starts them again.
func (r *run) withoutBrokers(f Fault, brokers ...int) error {
	if err := r.servers.kafka.Kill(brokers...); err != nil {
		return err
	}
	r.pause(f.Lasts)
	return r.servers.kafka.Up(r.Hard, brokers...)
}

// grow adds a partition to the alert topic, which needs as many as the cities', to one city's topic, and some time
// later to those of the others.
func (r *run) grow(f Fault) error {
	r.mu.Lock()
	r.grown = true
	r.mu.Unlock()
	first := cities()[f.City]
	if err := r.servers.money.Grow(r.Hard, alertTopic, first); err != nil {
		return err
	}
	r.pause(f.Lasts)
	others := slices.DeleteFunc(cities(), func(city string) bool { return city == first })
	return r.servers.money.Grow(r.Hard, others...)
}
