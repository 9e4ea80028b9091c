// Package embedded runs the servers that fintrans needs inside the calling process: a broker that
// speaks the Kafka protocol and an InfluxDB. Both are up within milliseconds on loopback ports and
// can be made to fail as real servers do: away, back at the same address with their data, slow to
// answer or answering with errors. The end-to-end tests and `make demo` stand on it; it is no
// replacement for the servers in production.
package embedded
