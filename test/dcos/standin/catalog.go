package standin

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"time"

	"fintrans/demo/embedded"
)

// catalog has the packages that fintrans needs, in the versions that the catalog of DC/OS has.
var catalog = map[string]*product{
	"kafka": {
		name: "kafka", versions: []string{"2.10.0-2.4.0", "2.5.0-2.1.0", "2.3.0-1.1.0", "1.1.19.1-0.10.1.0"},
		need: share{1, 1024}, extra: share{0.5, 1024}, framework: true, start: startKafka,
		names: []string{"broker.kafka.l4lb.thisdcos.directory"},
		options: map[string][]string{"kafka": {
			"delete_topic_enable", "auto_create_topics_enable", "num_partitions", "offsets_topic_replication_factor",
			"default_replication_factor",
		}},
	},
	"influxdb": {
		name: "influxdb", versions: []string{"1.4"}, need: share{1, 1024}, start: startInflux,
		names: []string{"influxdb.marathon.l4lb.thisdcos.directory"},
	},
	"grafana": {
		name: "grafana", versions: []string{"5.5.0-5.1.3", "5.0.1-5.1.0", "5.0.0-4.6.2"}, need: share{0.3, 512}, start: startGrafana,
	},
	"marathon-lb": {
		name: "marathon-lb", versions: []string{"1.15.0", "1.8.1.1"}, need: share{1, 512}, public: true, start: startBalancer,
		names: []string{"marathon-lb.marathon.mesos"},
	},
}

// The ports of the virtual addresses.
const (
	kafkaPort   = "9092"
	influxPort  = "8086"
	grafanaPort = "13000"
)

// startKafka starts one broker behind the virtual address. After the first contact clients use the
// broker's own, as they do behind a real one.
func startKafka(r *running) error {
	kafka, err := embedded.StartKafka(embedded.KafkaOptions{})
	if err != nil {
		return err
	}
	r.add("kafka", kafka.Addrs()[0], kafka.Close)
	return r.forward("kafka-vip", kafkaPort, func() string { return kafka.Addrs()[0] })
}

func startInflux(r *running) error {
	influx, err := embedded.StartInflux(embedded.InfluxOptions{})
	if err != nil {
		return err
	}
	r.add("influxdb", influx.URL(), func() { _ = influx.Close() })
	target, err := url.Parse(influx.URL())
	if err != nil {
		return err
	}
	return r.forward("influxdb-vip", influxPort, func() string { return target.Host })
}

// startGrafana starts something that answers as the API does. It is reached through marathon-lb.
func startGrafana(r *running) error {
	password := "admin"
	if own, ok := r.options["grafana"].(map[string]any); ok {
		if chosen, ok := own["admin_password"].(string); ok {
			password = chosen
		}
	}
	r.hub = newHub(password)
	front, err := embedded.StartFront(0, r.hub.handler())
	if err != nil {
		return err
	}
	r.add("grafana", front.URL(), func() { _ = front.Close() })
	return nil
}

// startBalancer serves Grafana's port on the public agent, while there is a Grafana.
func startBalancer(r *running) error {
	return r.forward("marathon-lb", grafanaPort, func() string {
		r.cluster.mu.Lock()
		grafana := r.cluster.packages["/grafana"]
		r.cluster.mu.Unlock()
		if grafana == nil {
			return ""
		}
		grafana.mu.Lock()
		defer grafana.mu.Unlock()
		for _, s := range grafana.servers {
			if target, err := url.Parse(s.address); err == nil {
				return target.Host
			}
		}
		return ""
	})
}

// forward passes connections at a port of the cluster's address on to where target says; it cuts them
// where that is nowhere.
func (r *running) forward(name, port string, target func() string) error {
	address := net.JoinHostPort(r.cluster.options.Address, port)
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("virtual address of %s: %w", name, err)
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // closed
			}
			go relay(conn, target())
		}
	}()
	r.add(name, address, func() { _ = listener.Close() })
	return nil
}

// relay copies both ways until one side ends.
func relay(conn net.Conn, to string) {
	defer conn.Close()
	if to == "" {
		return
	}
	target, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(context.Background(), "tcp", to)
	if err != nil {
		return
	}
	defer target.Close()
	go func() {
		_, _ = io.Copy(target, conn)
		_ = target.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(conn, target)
}

// version returns the default where none is asked for, and whether the catalog has it.
func (c *Cluster) version(p *product, wanted string) (string, bool) {
	for i, v := range p.versions {
		hidden := false
		for _, h := range c.misbehave.Hidden {
			hidden = hidden || h == p.name+":"+v
		}
		if !hidden && (v == wanted || wanted == "" && i == 0) && !(p.name == "kafka" && c.tooOld(v)) {
			return v, true
		}
	}
	return "", false
}

// tooOld reports whether the cluster is older than the version of kafka wants it.
func (c *Cluster) tooOld(version string) bool {
	for prefix, minor := range map[string]int{"2.10.": 11, "2.5.": 10, "2.3.": 9} {
		if len(version) > len(prefix) && version[:len(prefix)] == prefix {
			return c.before(1, minor)
		}
	}
	return false
}
