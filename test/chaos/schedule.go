package chaos

import (
	"math/rand/v2"
	"slices"
	"time"

	"fintrans/internal/transaction"
)

// Shape is what a schedule is made for.
type Shape struct {
	Length    time.Duration // of the run
	Brokers   int
	Instances int // of each consumer
	Kinds     []Kind
	Pause     time.Duration // between two faults of what befalls the services, at least; 0 is UsualPause
}

// UsualPause lets the services recover from most faults before the next one of their sequence.
const UsualPause = 5 * time.Second

const (
	// sessionTimeout is that of the consumers: the group gives up a member of which nothing is heard for so long.
	sessionTimeout = 6 * time.Second
	// mostGrowths is how often the topics grow in a run: each time leaves a window under-summed.
	mostGrowths = 2
)

// Schedule returns the faults of a run in the order of their times. It depends on nothing but its arguments.
func Schedule(seed uint64, shape Shape) []Fault {
	var all []Fault
	for i, l := range lanes() {
		l.kinds = slices.DeleteFunc(l.kinds, func(k Kind) bool { return !slices.Contains(shape.Kinds, k) })
		if len(l.kinds) > 0 {
			p := newPlanner(rand.New(rand.NewPCG(seed, uint64(i))), shape)
			all = append(all, p.plan(l)...)
		}
	}
	slices.SortStableFunc(all, func(a, b Fault) int { return int(a.At - b.At) })
	return all
}

// deck deals its cards in a random order, and all of them before one comes again.
type deck[T any] struct {
	random *rand.Rand
	cards  []T
	left   []T
}

func (d *deck[T]) deal() T {
	if len(d.left) == 0 {
		d.left = slices.Clone(d.cards)
		d.random.Shuffle(len(d.left), func(i, j int) { d.left[i], d.left[j] = d.left[j], d.left[i] })
	}
	card := d.left[0]
	d.left = d.left[1:]
	return card
}

// planner makes the faults of a lane. What it chooses from are decks: a run that is long enough has all of it.
type planner struct {
	random  *rand.Rand
	shape   Shape
	victims map[Kind]*deck[string] // services
	scaled  map[string]*deck[int]  // instances
	brokers *deck[int]
	network map[Kind]*deck[networkTarget]
	answers *deck[answer]
	cities  *deck[int]
	growths int
}

// networkTarget is one end of a part of the network, and the other.
type networkTarget struct {
	service string
	broker  int // one, AllBrokers or ToInflux
}

func newPlanner(random *rand.Rand, shape Shape) *planner {
	p := &planner{
		random: random, shape: shape,
		victims: map[Kind]*deck[string]{}, scaled: map[string]*deck[int]{}, network: map[Kind]*deck[networkTarget]{},
		brokers: &deck[int]{random: random}, answers: &deck[answer]{random: random, cards: answers()},
		cities: &deck[int]{random: random},
	}
	for broker := range shape.Brokers {
		p.brokers.cards = append(p.brokers.cards, broker)
	}
	for city := range transaction.Cities() {
		p.cities.cards = append(p.cities.cards, city)
	}
	for _, kind := range []Kind{Kill, Terminate, Freeze} {
		p.victims[kind] = &deck[string]{random: random, cards: services()}
	}
	p.victims[Scale] = &deck[string]{random: random, cards: []string{Ingest, Detector}}
	for _, service := range p.victims[Scale].cards {
		p.scaled[service] = &deck[int]{random: random, cards: []int{1, 2, 4, 6}}
	}
	for _, kind := range []Kind{NetSlow, NetCut, NetHalfOpen, NetReset} {
		d := &deck[networkTarget]{random: random, cards: []networkTarget{{Ingest, ToInflux}}}
		for _, service := range services() {
			d.cards = append(d.cards, networkTarget{service, random.IntN(max(1, shape.Brokers))}, networkTarget{service, AllBrokers})
		}
		p.network[kind] = d
	}
	return p
}

// plan makes the faults of a lane, as many as fit: the last is healed before the end.
func (p *planner) plan(l lane) []Fault {
	kinds := &deck[Kind]{random: p.random, cards: l.kinds}
	var faults []Fault
	for at := l.first; ; {
		f := p.fault(kinds.deal())
		f.At = at
		if f.At+f.takes(p.shape) > p.shape.Length {
			return faults
		}
		if f.Kind == PartitionAdd {
			if p.growths++; p.growths > mostGrowths {
				if len(l.kinds) == 1 {
					return faults
				}
				continue
			}
		}
		faults = append(faults, f)
		at += f.takes(p.shape) + p.shape.paced(l.gap) + p.upTo(p.shape.paced(l.gapWidth))
	}
}

// paced is what a time between two faults is where the pause is not the usual one.
func (s Shape) paced(usual time.Duration) time.Duration {
	if s.Pause == 0 {
		return usual
	}
	return time.Duration(float64(usual) * s.Pause.Seconds() / UsualPause.Seconds())
}

const (
	// restartTakes is about what the restart of a process takes, that of a broker included ...
	restartTakes = 4 * time.Second
	// ... and what it takes when a broker was killed, whose session has to run out before it is let in again.
	recoveryTakes = 12 * time.Second
)

// takes is about how long a fault takes in all, with the restarts that belong to it.
func (f Fault) takes(shape Shape) time.Duration {
	switch f.Kind {
	case Roll:
		return f.Lasts + time.Duration(1+2*shape.Instances)*restartTakes
	case BrokerRoll:
		return f.Lasts + time.Duration(shape.Brokers)*restartTakes
	case BrokerKill, BrokersAway:
		return f.Lasts + recoveryTakes
	case InfluxKill:
		return f.Lasts + restartTakes
	}
	return f.Lasts
}

// fault makes a fault of the kind, without its time.
func (p *planner) fault(kind Kind) Fault {
	f := Fault{Kind: kind}
	switch kind {
	case Kill, Terminate:
		f.Service, f.Instance = p.victim(kind)
	case Freeze:
		f.Service, f.Instance = p.victim(kind)
		f.Lasts = sessionTimeout + 2*time.Second + p.upTo(12*time.Second)
	case Scale:
		f.Service = p.victims[kind].deal()
		f.Count = p.scaled[f.Service].deal()
	case Roll, BrokerRoll: // all of them
	case BrokerKill:
		f.Broker = p.brokers.deal()
		f.Lasts = p.outage()
	case BrokersAway, InfluxKill:
		f.Lasts = p.outage()
	case InfluxFails:
		f.Answer = p.answers.deal()
		f.Lasts = p.outage()
	case NetSlow, NetCut, NetHalfOpen, NetReset:
		target := p.network[kind].deal()
		f.Service, f.Broker, f.Lasts = target.service, target.broker, p.outage()
	case PartitionAdd:
		f.City = p.cities.deal()
		f.Lasts = time.Second + p.upTo(8*time.Second)
	}
	return f
}

func (p *planner) victim(kind Kind) (service string, instance int) {
	service = p.victims[kind].deal()
	if service != Generator {
		instance = p.random.IntN(max(1, p.shape.Instances))
	}
	return service, instance
}

// outage is how long something is away: from seconds to a minute, and less in a run that is short.
func (p *planner) outage() time.Duration {
	return time.Second + p.upTo(min(time.Minute, p.shape.Length/12))
}

// upTo is a random time, in tenths of a second.
func (p *planner) upTo(limit time.Duration) time.Duration {
	const unit = 100 * time.Millisecond
	return unit * time.Duration(p.random.Int64N(max(1, int64(limit/unit))))
}

func cities() []string { return transaction.Cities() }
