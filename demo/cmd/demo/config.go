package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"fintrans/internal/service"
)

// config is what the demo can be told, by flag or by environment. Settings that a service has as well have
// the service's name.
type config struct {
	Rate           service.Number    `name:"rate" default:"20" min:"0.1" max:"10000" help:"Transactions per second."`
	AlertThreshold service.Count     `name:"alert-threshold" default:"10000" min:"100" max:"500000" help:"Alert when the volume from a source to a target within the window is greater than this, in dollars. Planted rings add up to twice as much at least."`
	AlertWindow    service.Duration  `name:"alert-window" default:"1h" help:"Length of the sliding window; 0 adds up everything since the beginning of the topics."`
	GenAccounts    service.Count     `name:"gen-accounts" default:"1000" min:"2" max:"4294967295" help:"Number of accounts."`
	GenSeed        service.Count     `name:"gen-seed" default:"0" help:"Seed: the same one gives the same transactions in the same order; 0 is a random one, which is shown."`
	RingShare      service.Number    `name:"ring-share" default:"0.01" min:"0" max:"1" help:"Share of the transactions that belong to planted rings; 0 plants none."`
	For            service.Duration  `name:"for" default:"0" help:"How long to run; 0 goes on until Ctrl-C."`
	Kafka          service.Addresses `name:"kafka" help:"Brokers of a Kafka of your own, host:port, separated by commas; an embedded one where empty."`
	Influx         service.URL       `name:"influx" help:"Base URL of the HTTP API of an InfluxDB of your own; an embedded one where empty."`
	Dashboards     service.Listen    `name:"dashboards" default:"127.0.0.1:13000" help:"Address of the dashboards: those of a Grafana on the PATH, else a preview of them. Another port where that one is taken."`
	Binaries       string            `name:"binaries" placeholder:"FOLDER" help:"Folder with the three services; that of the demo itself where empty."`

	Version service.VersionFlag `help:"Print the version and exit."`
}

// ringSpread is the time over which the transfers of a ring are spread: short enough to see the second alert
// within the first minute.
const ringSpread = 20 * time.Second

// spread is ringSpread, or less where the window is short.
func (c config) spread() time.Duration {
	if window := c.AlertWindow.Duration(); window > 0 {
		return min(ringSpread, (window / 2).Truncate(time.Millisecond))
	}
	return ringSpread
}

// wait is the time between two transactions.
func (c config) wait() time.Duration { return time.Duration(float64(time.Second) / float64(c.Rate)) }

// seed is the one that was asked for, or a random one.
func (c config) seed() uint64 {
	if c.GenSeed != 0 {
		return uint64(c.GenSeed)
	}
	return 1 + uint64(rand.Uint32N(1_000_000)) // short enough to be typed again
}

// binaries is the folder with the services.
func (c config) binaries() (string, error) {
	if c.Binaries != "" {
		return c.Binaries, nil
	}
	own, err := os.Executable()
	return filepath.Dir(own), err
}
