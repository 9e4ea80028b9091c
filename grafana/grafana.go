// Package grafana carries the dashboards and provisioning files, for Grafana 5.0 to 8.2 (folder 5) and from 8.3 on
// (folder current). They are made by grafana/generate.
package grafana

import "embed"

// Files are the folders dashboards and provisioning.
//
//go:embed dashboards provisioning
var Files embed.FS
