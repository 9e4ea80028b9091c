package peers

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"fintrans/bench/measure"
	"fintrans/bench/scene"
	"fintrans/internal/transaction"
)

const (
	telegrafVersion = "v1.37.2"
	telegrafTags    = "custom,inputs.kafka_consumer,outputs.influxdb,parsers.csv,serializers.influx"
)

// The times that Telegraf can give to a point.
const (
	RecordTime     = "inner"  // that of the record
	ProcessingTime = "metric" // that at which it was read, which is Telegraf's default
)

// Telegraf says what Telegraf is to do.
type Telegraf struct {
	Broker, Group string
	Influx        string // URL
	Database      string
	TimestampFrom string // RecordTime or ProcessingTime
}

// telegraf returns the path of the program, which is compiled the first time with nothing but what is needed.
func telegraf(ctx context.Context, s *scene.Scene) (string, error) {
	folder := filepath.Join(s.Build, "telegraf-"+telegrafVersion)
	path := filepath.Join(folder, "telegraf")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	s.Say("compiling Telegraf %s, once: some minutes", telegrafVersion)
	return path, scene.Run(ctx, s.Root, []string{"GOBIN=" + folder, "GOFLAGS="}, "go", "install", "-trimpath", "-tags", telegrafTags,
		"github.com/influxdata/telegraf/cmd/telegraf@"+telegrafVersion)
}

// Start starts Telegraf.
func (t Telegraf) Start(ctx context.Context, s *scene.Scene) (*measure.Process, error) {
	path, err := telegraf(ctx, s)
	if err != nil {
		return nil, err
	}
	config := filepath.Join(s.Binaries, s.Name("telegraf")+".conf")
	if err := os.WriteFile(config, []byte(t.config()), 0o600); err != nil {
		return nil, err
	}
	return measure.Start(measure.Program{Name: "Telegraf", Path: path, Args: []string{"--config", config}})
}

// config has Telegraf's defaults but where they would hold it up: batches of 5,000 points, four of them on their
// way, sent at least once a second, not compressed on their way to a server on the same machine.
func (t Telegraf) config() string {
	return fmt.Sprintf(`[agent]
  flush_interval = "1s"
  metric_batch_size = 5000
  metric_buffer_limit = 100000
  omit_hostname = true

[[outputs.influxdb]]
  urls = [%q]
  database = %q
  retention_policy = "hour"
  skip_database_creation = true
  content_encoding = "identity"

[[inputs.kafka_consumer]]
  brokers = [%q]
  kafka_version = "2.8.0"
  topics = ["%s"]
  consumer_group = %q
  offset = "oldest"
  topic_tag = "city"
  max_undelivered_messages = 20000
  timestamp_source = %q
  name_override = "transactions"
  data_format = "csv"
  csv_delimiter = " "
  csv_column_names = ["source", "target", "amount"]
  csv_column_types = ["int", "int", "int"]
`, t.Influx, t.Database, t.Broker, strings.Join(transaction.Cities(), `", "`), t.Group, t.TimestampFrom)
}
