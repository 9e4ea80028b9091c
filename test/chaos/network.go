package chaos

import (
	"context"
	"errors"
	"fmt"
	"strings"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"fintrans/test/child"
)

// network is what lies between the services and the servers: a proxy for each service and server.
type network struct {
	server  *toxiproxy.ApiServer
	proxies map[networkTarget]*toxiproxy.Proxy
}

func newNetwork() *network {
	zerolog.SetGlobalLevel(zerolog.Disabled) // some of the ways to fail log past the proxy's own log
	return &network{
		// Nobody listens to it: the proxies ask it for their log and their metrics alone.
		server:  toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()),
		proxies: map[networkTarget]*toxiproxy.Proxy{},
	}
}

// open makes the way from a service to a server that listens at host:port, and returns where it begins.
func (n *network) open(way networkTarget, to string) (string, error) {
	ports, err := child.FreePorts(1)
	if err != nil {
		return "", err
	}
	proxy := toxiproxy.NewProxy(n.server, fmt.Sprintf("%s-%d", way.service, way.broker), fmt.Sprintf("127.0.0.1:%d", ports[0]), to)
	if err := proxy.Start(); err != nil {
		return "", fmt.Errorf("start a proxy for %s: %w", way.service, err)
	}
	n.proxies[way] = proxy
	return proxy.Listen, nil
}

// close ends all ways.
func (n *network) close() {
	for _, proxy := range n.proxies {
		proxy.Stop()
	}
}

// chosen are the proxies that the target is about.
func (n *network) chosen(target networkTarget) []*toxiproxy.Proxy {
	var chosen []*toxiproxy.Proxy
	for way, proxy := range n.proxies {
		if way.service == target.service && (way.broker == target.broker || target.broker == AllBrokers && way.broker != ToInflux) {
			chosen = append(chosen, proxy)
		}
	}
	return chosen
}

// The ways in which a network fails, as the proxies know them. Slow is a tenth of a second each way and
// 100 kB/s back.
var toxics = map[Kind][]string{
	NetSlow: {
		`{"name": "late", "type": "latency", "stream": "upstream", "attributes": {"latency": 100, "jitter": 50}}`,
		`{"name": "late-back", "type": "latency", "stream": "downstream", "attributes": {"latency": 100, "jitter": 50}}`,
		`{"name": "narrow-back", "type": "bandwidth", "stream": "downstream", "attributes": {"rate": 100}}`,
	},
	NetHalfOpen: {
		`{"name": "swallowed", "type": "timeout", "stream": "upstream", "attributes": {"timeout": 0}}`,
		`{"name": "swallowed-back", "type": "timeout", "stream": "downstream", "attributes": {"timeout": 0}}`,
	},
	NetReset: {
		`{"name": "reset", "type": "reset_peer", "stream": "upstream", "attributes": {"timeout": 0}}`,
		`{"name": "reset-back", "type": "reset_peer", "stream": "downstream", "attributes": {"timeout": 0}}`,
	},
}

// fail makes a part of the network fail until it is healed.
func (n *network) fail(kind Kind, target networkTarget) error {
	var failed []error
	for _, proxy := range n.chosen(target) {
		if kind == NetCut {
			proxy.Stop()
			continue
		}
		for _, toxic := range toxics[kind] {
			_, err := proxy.Toxics.AddToxicJson(strings.NewReader(toxic))
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// heal ends what fail has done. What was half open is closed then.
func (n *network) heal(ctx context.Context, target networkTarget) error {
	var failed []error
	for _, proxy := range n.chosen(target) {
		proxy.Toxics.ResetToxics(ctx)
		if err := proxy.Start(); err != nil && !errors.Is(err, toxiproxy.ErrProxyAlreadyStarted) {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}
