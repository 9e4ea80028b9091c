// Package test_test runs end-to-end cases on real servers.
package test_test

import (
	"os"
	"testing"

	"fintrans/demo/cases"
	"fintrans/demo/harness"
	"fintrans/test/real"
	"fintrans/test/realkafka"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

// TestSmoke shows on the newest Apache Kafka that money flows, exactly, through kills of all services.
func TestSmoke(t *testing.T) { cases.Whole(t, real.Servers(realkafka.Kafka4)) }

// TestDashboards shows what each panel of the dashboards shows, on this machine's InfluxDB.
func TestDashboards(t *testing.T) { cases.Dashboards(t, real.Servers(realkafka.Kafka4)) }

// TestAlertsLeadToTransfers follows an alert that the services found themselves, on real servers.
func TestAlertsLeadToTransfers(t *testing.T) { cases.AlertsLeadToTransfers(t, real.Servers(realkafka.Kafka4)) }
