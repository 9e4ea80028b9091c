package chaos

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Kind is a kind of fault.
type Kind string

// The kinds of faults.
const (
	Kill         Kind = "kill"          // kill -9 of an instance of a service
	Terminate    Kind = "terminate"     // SIGTERM to an instance of a service
	Freeze       Kind = "freeze"        // SIGSTOP of an instance beyond the session timeout, then SIGCONT
	Scale        Kind = "scale"         // another number of instances of a consumer
	Roll         Kind = "roll"          // SIGTERM to all instances of all services, one after the other
	BrokerKill   Kind = "broker-kill"   // kill -9 of a broker
	BrokerRoll   Kind = "broker-roll"   // SIGTERM to all brokers, one after the other
	BrokersAway  Kind = "brokers-away"  // kill -9 of all brokers
	InfluxKill   Kind = "influx-kill"   // kill -9 of InfluxDB
	InfluxFails  Kind = "influx-fails"  // InfluxDB answers errors, hangs, cuts connections, loses answers
	NetSlow      Kind = "net-slow"      // the network of a service is slow
	NetCut       Kind = "net-cut"       // ... cut: connections end, new ones are refused
	NetHalfOpen  Kind = "net-half-open" // ... half open: connections stay, and nothing comes through
	NetReset     Kind = "net-reset"     // ... resets connections
	PartitionAdd Kind = "partitions"    // a partition more in all topics, in one of them some time earlier
)

// orderly says whether all of the faults end services in an orderly way alone: then nothing may come twice.
func orderly(faults []Fault) bool {
	return !slices.ContainsFunc(faults, func(f Fault) bool { return !slices.Contains([]Kind{Terminate, Scale, Roll}, f.Kind) })
}

// lane is a sequence of faults that do not overlap. Those of different lanes do.
type lane struct {
	name     string
	kinds    []Kind
	first    time.Duration // before the first fault
	gap      time.Duration // between two faults, at least, with the usual pause
	gapWidth time.Duration // and up to so much more
}

// serversLane is the lane of the faults of servers and network.
const serversLane = "servers"

// lanes are what befalls the services and what befalls the servers and the network.
func lanes() []lane {
	return []lane{
		{"services", []Kind{Kill, Terminate, Freeze, Scale, Roll}, 2 * time.Second, UsualPause, 7 * time.Second},
		{serversLane, []Kind{BrokerKill, BrokerRoll, BrokersAway, InfluxKill, InfluxFails, NetSlow, NetCut, NetHalfOpen, NetReset, PartitionAdd},
			4 * time.Second, 6 * time.Second, 8 * time.Second},
	}
}

// laneOf is the name of the lane that faults of the kind are in.
func laneOf(kind Kind) string {
	for _, l := range lanes() {
		if slices.Contains(l.kinds, kind) {
			return l.name
		}
	}
	return ""
}

// Kinds returns all kinds of faults.
func Kinds() []Kind {
	var all []Kind
	for _, l := range lanes() {
		all = append(all, l.kinds...)
	}
	return all
}

// KindList is some of the kinds; it reads them separated by commas.
type KindList []Kind

// UnmarshalText reads e.g. kill,broker-kill. "all" is all of them.
func (l *KindList) UnmarshalText(text []byte) error {
	if string(text) == "all" {
		*l = Kinds()
		return nil
	}
	*l = nil
	for name := range strings.SplitSeq(string(text), ",") {
		kind := Kind(strings.TrimSpace(name))
		if !slices.Contains(Kinds(), kind) {
			return fmt.Errorf("%q names an unknown kind of fault, %q; expected all, or some of %s", text, kind, kindNames())
		}
		*l = append(*l, kind)
	}
	return nil
}

func kindNames() string {
	var names []string
	for _, kind := range Kinds() {
		names = append(names, string(kind))
	}
	return strings.Join(names, ", ")
}

// The services.
const (
	Generator = "generator"
	Ingest    = "influx-ingest"
	Detector  = "laundering-detector"
)

// services are all of them, in the order in which they are started.
func services() []string { return []string{Ingest, Detector, Generator} }

// Fault is a fault at a time. Which of the fields below Lasts mean something depends on the kind.
type Fault struct {
	At    time.Duration // since the beginning
	Kind  Kind
	Lasts time.Duration // until it is healed; 0 where there is nothing to heal

	Service  string // whose instance or network it is
	Instance int    // of the service, counted on where there are fewer
	Count    int    // of instances
	Broker   int    // AllBrokers, or one
	Answer   answer // of an InfluxDB that fails
	City     int    // whose topic grows first
}

// Brokers of a fault of the network that are no single one.
const (
	AllBrokers = -1
	ToInflux   = -2 // it is InfluxDB that the service cannot reach
)

// Row is what a table of faults calls it: faults with the same name are counted together.
func (f Fault) Row() string {
	switch f.Kind {
	case Kill:
		return "kill -9 of " + f.Service
	case Terminate:
		return "SIGTERM to " + f.Service
	case Freeze:
		return "SIGSTOP of " + f.Service
	case Scale:
		return "scaling of " + f.Service
	case Roll:
		return "rolling restart of the services"
	case BrokerKill:
		return "kill -9 of a broker"
	case BrokerRoll:
		return "rolling restart of the brokers"
	case BrokersAway:
		return "kill -9 of all brokers"
	case InfluxKill:
		return "kill -9 of InfluxDB"
	case InfluxFails:
		return "InfluxDB fails"
	case NetSlow:
		return "network slow"
	case NetCut:
		return "network cut"
	case NetHalfOpen:
		return "network half open"
	case NetReset:
		return "network resets"
	case PartitionAdd:
		return "partitions added"
	}
	return string(f.Kind)
}

// String says what happens, in one line.
func (f Fault) String() string {
	lasts := ""
	if f.Lasts > 0 {
		lasts = fmt.Sprintf(", for %v", f.Lasts)
	}
	switch f.Kind {
	case Kill, Terminate, Freeze:
		return fmt.Sprintf("%s %d%s", f.Row(), f.Instance, lasts)
	case Scale:
		return fmt.Sprintf("%s to %d", f.Row(), f.Count)
	case BrokerKill:
		return fmt.Sprintf("kill -9 of broker %d%s", f.Broker, lasts)
	case InfluxFails:
		return fmt.Sprintf("InfluxDB %s%s", f.Answer.text, lasts)
	case NetSlow, NetCut, NetHalfOpen, NetReset:
		to := fmt.Sprintf("broker %d", f.Broker)
		if f.Broker == AllBrokers {
			to = "all brokers"
		}
		if f.Broker == ToInflux {
			to = "InfluxDB"
		}
		return fmt.Sprintf("%s from %s to %s%s", f.Row(), f.Service, to, lasts)
	case PartitionAdd:
		return fmt.Sprintf("%s: of %s first, of the others after %v", f.Row(), cities()[f.City], f.Lasts)
	}
	return f.Row() + lasts
}
