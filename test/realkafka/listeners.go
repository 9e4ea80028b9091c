package realkafka

import (
	"fmt"
	"slices"
	"strings"
)

// Listeners are further listeners of all brokers, each of which is told to clients at an address of its own: that of
// a proxy in front of it.
type Listeners struct {
	// Names of the listeners, in capital letters.
	Names []string
	// Advertise returns the address, host:port, at which clients of the listener reach a broker that listens at addr.
	Advertise func(name string, broker int, addr string) (string, error)
}

// internal is the name of the listener that every broker has.
const internal = "PLAINTEXT"

// listener is one of the further listeners of a broker.
type listener struct {
	name       string
	port       int
	advertised string // host:port
}

// listen gives the broker its further listeners, at these ports.
func (b *broker) listen(l Listeners, ports []int) error {
	for i, name := range l.Names {
		advertised, err := l.Advertise(name, b.id, fmt.Sprintf("127.0.0.1:%d", ports[i]))
		if err != nil {
			return fmt.Errorf("advertise listener %s of %s: %w", name, b.name(), err)
		}
		b.listeners = append(b.listeners, listener{name, ports[i], advertised})
	}
	return nil
}

// withListeners adds the further listeners of a broker to its properties.
func withListeners(b *broker, p properties) properties {
	if len(b.listeners) == 0 {
		return p
	}
	listen, protocols := []string{p["listeners"]}, []string{internal + ":PLAINTEXT"}
	advertise := []string{internal + "://" + b.addr()}
	if controller, ok := p["controller.listener.names"]; ok {
		protocols = append(protocols, controller+":PLAINTEXT")
	}
	for _, l := range b.listeners {
		listen = append(listen, fmt.Sprintf("%s://127.0.0.1:%d", l.name, l.port))
		advertise = append(advertise, l.name+"://"+l.advertised)
		protocols = append(protocols, l.name+":PLAINTEXT")
	}
	p["listeners"] = strings.Join(listen, ",")
	p["advertised.listeners"] = strings.Join(advertise, ",")
	p["listener.security.protocol.map"] = strings.Join(protocols, ",")
	p["inter.broker.listener.name"] = internal
	return p
}

// AddrsOf returns the address at which clients of a further listener reach each broker.
func (c *Cluster) AddrsOf(name string) []string {
	var addrs []string
	for _, b := range c.brokers {
		if i := slices.IndexFunc(b.listeners, func(l listener) bool { return l.name == name }); i >= 0 {
			addrs = append(addrs, b.listeners[i].advertised)
		}
	}
	return addrs
}
