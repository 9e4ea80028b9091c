package main

import "fmt"

// Where the provisioning files expect things; both are meant to be changed.
const (
	influxURL     = "http://localhost:8086"
	dashboardRoot = "/etc/grafana/fintrans/dashboards/"
)

// credentials explains the user, in both kinds of files.
const credentials = `    # Where InfluxDB has users, one that can only read (see the README, Dashboards):
    # user: grafana
`

// dataSource5 is the data source for Grafana 5, which knows no uid.
func dataSource5() string {
	return fmt.Sprintf(`apiVersion: 1

datasources:
  - name: %s
    type: influxdb
    access: proxy
    url: %s
    database: fintrans
%s    # password: secret
`, dataSource, influxURL, credentials)
}

// dataSourceNow is the data source for Grafana from 8.3 on.
func dataSourceNow() string {
	return fmt.Sprintf(`apiVersion: 1

datasources:
  - name: %[1]s
    uid: %[1]s
    type: influxdb
    access: proxy
    url: %[2]s
    database: fintrans
%[3]s    # secureJsonData:
    #   password: secret
    jsonData:
      dbName: fintrans
      httpMode: GET
`, dataSource, influxURL, credentials)
}

// provider is the dashboard provider of the kind whose files are in the folder.
func provider(kind string) string {
	return fmt.Sprintf(`apiVersion: 1

providers:
  - name: %s
    orgId: 1
    folder: ''
    type: file
    options:
      path: %s%s
`, dataSource, dashboardRoot, kind)
}
