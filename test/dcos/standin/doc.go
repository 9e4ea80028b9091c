// Package standin plays a DC/OS cluster on loopback addresses: it answers what both command line clients and
// the installer ask of admin router, Cosmos, Marathon and Mesos, and truly does it. Apps are fetched, launched,
// checked, restarted and scaled; the packages of its catalog are an embedded Kafka and InfluxDB, and something
// that answers as Grafana's API does. It refuses what the real ones refuse, and misbehaves on demand.
package standin
