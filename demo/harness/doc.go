// Package harness runs the services as processes, built from this checkout with the race detector,
// feeds them through Kafka, and looks at what comes out: the alerts on stdout, the points in
// InfluxDB, the offsets that were committed, the log and the metrics. It knows servers by their
// addresses alone, so the same cases run on the embedded servers and on real ones, and it shares no
// client library with the services: an error in theirs does not hide in the judge.
//
// Everything ends with the test that started it: no process and no file is left.
package harness
