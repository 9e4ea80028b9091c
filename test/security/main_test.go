// Package security_test runs the services on an Apache Kafka and an InfluxDB that do not let everybody in.
package security_test

import (
	"os"
	"testing"

	"fintrans/demo/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
