package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
	"unicode"

	"fintrans/internal/kafka"
	"fintrans/internal/service"
)

// config is what the ingest can be told, by flag or by environment.
type config struct {
	service.Common `embed:""`
	kafka.Settings `embed:""`

	KafkaGroup     kafka.Group      `name:"kafka-group" default:"influx-ingest" help:"Consumer group; instances of one group share the work."`
	InfluxAPI      service.URL      `name:"influx-api" default:"http://127.0.0.1:8086" help:"Base URL of InfluxDB's HTTP API."`
	InfluxTargetDB string           `name:"influx-target-db" default:"fintrans" help:"Database of InfluxDB that the points go to; it is created where it is missing."`
	InfluxUser     string           `name:"influx-user" help:"User of InfluxDB; none where empty."`
	InfluxPassword service.Secret   `name:"influx-password" help:"Password of the user of InfluxDB."`
	InfluxCAFile   string           `name:"influx-ca-file" help:"PEM file with the authorities that may sign InfluxDB's certificate; the system's where empty."`
	IngestWaitSec  service.Seconds  `name:"ingest-wait-sec" default:"1" max:"30" help:"Longest that a transaction waits in a batch, in seconds; a batch goes earlier when there is enough of it."`
	AlertsTopic    kafka.Topic      `name:"alerts-topic" help:"Topic that the detector publishes alerts to; they become points of the measurement alerts, read by the group KAFKA_GROUP-alerts. None where empty."`
	PipelineTopic  kafka.Topic      `name:"pipeline-topic" help:"Topic that detectors tell how they are doing; it becomes points of the measurement pipeline, read by the group KAFKA_GROUP-pipeline. None where empty."`
	MaxAhead       service.Duration `name:"max-ahead" default:"1m" help:"Transactions further ahead of the clock than this are skipped as bad."`
}

// Validate finds settings that contradict each other. Its error is one line that names the setting.
func (c config) Validate() error {
	if err := validDatabase(c.InfluxTargetDB); err != nil {
		return err
	}
	if err := kafka.DifferentTopics(c.AlertsTopic, c.PipelineTopic); err != nil {
		return err
	}
	if c.InfluxPassword.IsSet() && c.InfluxUser == "" {
		return fmt.Errorf("INFLUX_PASSWORD: is set without INFLUX_USER; expected both or neither")
	}
	if c.InfluxCAFile != "" && !strings.HasPrefix(string(c.InfluxAPI), "https:") {
		return fmt.Errorf("INFLUX_CA_FILE %q is set, but INFLUX_API %q is not encrypted; expected an https URL", c.InfluxCAFile, c.InfluxAPI)
	}
	_, err := c.influxTLS()
	return err
}

// validDatabase refuses names that InfluxDB refuses.
func validDatabase(db string) error {
	const expected = `expected printable characters without / and \`
	bad := func(r rune) bool { return !unicode.IsPrint(r) || r == '/' || r == '\\' }
	if db == "" || db == "." || db == ".." || strings.ContainsFunc(db, bad) {
		return fmt.Errorf("INFLUX_TARGET_DB: %q is not a name for a database; %s", db, expected)
	}
	return nil
}

// influxTLS is nil unless an authority of its own is set.
func (c config) influxTLS() (*tls.Config, error) {
	if c.InfluxCAFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(c.InfluxCAFile)
	if err != nil {
		return nil, fmt.Errorf("INFLUX_CA_FILE: %w; expected a file with certificates in PEM format", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("INFLUX_CA_FILE: %s has no certificate in it; expected PEM", c.InfluxCAFile)
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}
