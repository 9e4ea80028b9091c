package main

import (
	"fintrans/internal/kafka"
	"fintrans/internal/service"
)

// config is what the detector can be told, by flag or by environment.
type config struct {
	service.Common `embed:""`
	kafka.Settings `embed:""`

	KafkaGroup     kafka.Group      `name:"kafka-group" default:"laundering-detector" help:"Consumer group; instances of one group share the work."`
	AlertThreshold service.Count    `name:"alert-threshold" default:"10000" help:"Alert when the volume from a source to a target within the window is greater than this, in dollars."`
	AlertWindow    service.Duration `name:"alert-window" default:"1h" help:"Length of the sliding window; 0 adds up everything since the beginning of the topics."`
	AlertLateness  service.Duration `name:"alert-lateness" default:"10m" help:"How much older than its predecessors in the same partition a transaction may be and still be judged exactly."`
	AlertRepeat    service.Choice   `name:"alert-repeat" enum:"episode,every" default:"episode" help:"Alert once per episode above the threshold, or for every transaction above it."`
	AlertsTopic    kafka.Topic      `name:"alerts-topic" help:"Topic that alerts are published to as JSON, beside standard output; it is created where it is missing. None where empty."`
	PipelineTopic  kafka.Topic      `name:"pipeline-topic" help:"Topic that the detector tells every 10 s how it is doing, for the measurement pipeline; it is created where it is missing. None where empty."`
	ProdOutput     service.Bool     `name:"prod-output" default:"true" help:"Plain alert lines; false prints their beginning in bold red."`
	MaxAhead       service.Duration `name:"max-ahead" default:"1m" help:"Transactions further ahead of the clock than this are skipped as bad."`
}

// Validate finds settings that contradict each other. Its error is one line that names the setting.
func (c config) Validate() error { return kafka.DifferentTopics(c.AlertsTopic, c.PipelineTopic) }

const (
	repeatEpisode = "episode"
	repeatEvery   = "every"
)
