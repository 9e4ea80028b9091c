package main

// The services report every 10 s; 30 s hold a report of each instance even when one is late.
const (
	pipeline = `"hour"."pipeline"`
	window   = `time(30s)`
	recent   = `time > now() - 30s`
)

// perSecond is the rate of records of a service in each city.
func perSecond(service string) string {
	return `SELECT sum("records") / 30 FROM ` + pipeline + ` WHERE $timeFilter AND "service" = '` + service +
		`' AND "city" != '' GROUP BY ` + window + `, "city" fill(0)`
}

// held is a gauge of the detector: the last report of each instance, added up.
func held(field string) string {
	return `SELECT sum("held") FROM (SELECT last("` + field + `") AS "held" FROM ` + pipeline +
		` WHERE $timeFilter AND "service" = 'laundering-detector' GROUP BY ` + window + `, "instance") WHERE $timeFilter GROUP BY ` + window + ` fill(none)`
}

// waiting is the number of records that a service has not dealt with, by its instances' last reports.
func waiting(service string) string {
	return `SELECT sum("lag") FROM (SELECT last("lag_records") AS "lag" FROM ` + pipeline + ` WHERE ` + recent +
		` AND "service" = '` + service + `' GROUP BY "city", "instance") WHERE ` + recent
}

// pipelineDashboard tells whether the numbers of the others can be trusted.
var pipelineDashboard = dashboard{
	uid:         "fintrans-pipeline",
	title:       "Fintrans pipeline",
	description: "What the services say of their own work, every 10 s. The numbers of the other dashboards are complete while nothing waits and nothing is bad.",
	from:        "now-1h",
	panels: []panel{
		{
			kind: stat, title: "influx-ingest: records waiting", width: 8, height: 4, empty: "no report",
			queries: []query{{waiting("influx-ingest"), "Waiting"}},
		},
		{
			kind: stat, title: "laundering-detector: records waiting", width: 8, height: 4, empty: "no report",
			queries: []query{{waiting("laundering-detector"), "Waiting"}},
		},
		{
			kind: stat, title: "Oldest record not dealt with", width: 8, height: 4, unit: "dateTimeFromNow", empty: "nothing waits",
			queries: []query{{`SELECT min("oldest_ms") FROM ` + pipeline + ` WHERE ` + recent, "Oldest"}},
		},
		{
			kind: graph, title: "influx-ingest: records per second", width: 12, height: 8, stack: stacked, style: lines,
			queries: []query{{perSecond("influx-ingest"), "$tag_city"}},
		},
		{
			kind: graph, title: "laundering-detector: records per second", width: 12, height: 8, stack: stacked, style: lines,
			queries: []query{{perSecond("laundering-detector"), "$tag_city"}},
		},
		{
			kind: graph, title: "Lag in records", width: 12, height: 8, style: lines,
			queries: []query{{`SELECT sum("lag") FROM (SELECT last("lag_records") AS "lag" FROM ` + pipeline + ` WHERE $timeFilter AND "city" != '' GROUP BY ` +
				window + `, "service", "city", "instance") WHERE $timeFilter GROUP BY ` + window + `, "service", "city" fill(none)`, "$tag_service $tag_city"}},
		},
		{
			kind: graph, title: "Lag in seconds", width: 12, height: 8, unit: "s", style: lines,
			queries: []query{{`SELECT max("lag_seconds") FROM ` + pipeline + ` WHERE $timeFilter AND "city" != '' GROUP BY ` + window +
				`, "service", "city" fill(none)`, "$tag_service $tag_city"}},
		},
		{
			kind: graph, title: "Bad records", width: 12, height: 8, style: bars, stack: stacked,
			queries: []query{{`SELECT sum("bad") FROM ` + pipeline + ` WHERE $timeFilter AND "reason" != '' GROUP BY ` + window +
				`, "service", "reason" fill(none)`, "$tag_service $tag_reason"}},
		},
		{
			kind: graph, title: "Retries", width: 12, height: 8, style: bars, stack: stacked,
			queries: []query{{`SELECT sum("retries") FROM ` + pipeline + ` WHERE $timeFilter GROUP BY ` + window + `, "service" fill(none)`, "$tag_service"}},
		},
		{
			kind: table, title: "Bad records by reason", width: 8, height: 8,
			description: "As influx-ingest counts them.",
			columns:     []column{{"Time", hidden}, {"reason", asText}, {"Records", asNumber}},
			queries:     []query{{`SELECT sum("bad") AS "Records" FROM ` + pipeline + ` WHERE $timeFilter AND "service" = 'influx-ingest' AND "reason" != '' GROUP BY "reason"`, ""}},
		},
		{
			kind: graph, title: "Window of the detector", width: 8, height: 8, style: lines,
			queries: []query{{held("window_transactions"), "transactions"}, {held("window_pairs"), "pairs"}},
		},
		{
			kind: graph, title: "Memory of the window", width: 8, height: 8, unit: "bytes", style: lines,
			queries: []query{{held("window_bytes"), "bytes"}},
		},
	},
}
