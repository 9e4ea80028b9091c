package main

const (
	transactions = `"hour"."transactions"`
	alerts       = `"month"."alerts"`
	cityOnly     = `$timeFilter AND "city" =~ /^$city$/`
)

// cityColumns are those of the table per city.
var cityColumns = []column{
	{"Time", hidden}, {"city", asText}, {"Transactions", asNumber}, {"Average", asFraction}, {"Total", asNumber}, {"Largest", asNumber},
}

// alertColumns are those of the table of alerts; the last two are for the link.
var alertColumns = []column{
	{"Time", asTime}, {"Source", asNumber}, {"Target", asNumber}, {"Total", asNumber}, {"Threshold", asNumber},
	{"Transfers", asNumber}, {"Cities", asText}, {"from", hidden}, {"to", hidden},
}

// alertLink opens the transfers behind an alert. Its range has a minute to spare on both sides: Grafana 5 cuts to
// whole seconds.
var alertLink = "d/" + transfers.uid + "/" + transfers.slug() +
	"?var-source={Source}&var-target={Target}&var-threshold={Threshold}&from={from}&to={to}"

// fintransDashboard is what one looks at: the money of the past hour and the alerts.
var fintransDashboard = dashboard{
	uid:         "fintrans",
	title:       "Fintrans",
	description: "The money that flows through the five cities, and the alerts. An average is always the sum over the count of the transactions themselves.",
	from:        "now-1h",
	variables: []variable{
		{name: "city", label: "City", kind: choice, values: []string{"London", "NYC", "SF", "Moscow", "Tokyo"}},
		// Not $interval: Grafana 5 puts its own value in place of that.
		{name: "step", label: "Interval", kind: interval, values: []string{"10s", "30s", "1m", "5m", "15m"}, chosen: "1m"},
	},
	alerts: `SELECT "total" AS "Total", "cities" AS "Cities" FROM ` + alerts + ` WHERE $timeFilter`,
	panels: []panel{
		{
			kind: stat, title: "Transactions", width: 6, height: 4, empty: "none",
			queries: []query{{`SELECT count("amount") FROM ` + transactions + ` WHERE ` + cityOnly, "Transactions"}},
		},
		{
			kind: stat, title: "Average transaction", width: 6, height: 4, unit: dollars, decimals: 2, empty: "none",
			queries: []query{{`SELECT mean("amount") FROM ` + transactions + ` WHERE ` + cityOnly, "Average"}},
		},
		{
			kind: stat, title: "Total volume", width: 6, height: 4, unit: dollars, decimals: 2, empty: "none",
			queries: []query{{`SELECT sum("amount") FROM ` + transactions + ` WHERE ` + cityOnly, "Total"}},
		},
		{
			kind: stat, title: "Alerts in the range", width: 6, height: 4, empty: "none",
			queries: []query{{`SELECT count("total") FROM ` + alerts + ` WHERE $timeFilter`, "Alerts"}},
		},
		{
			kind: graph, title: "Total volume per city", width: 24, height: 9, unit: dollars, stack: stacked, style: lines,
			queries: []query{{`SELECT sum("amount") FROM ` + transactions + ` WHERE ` + cityOnly + ` GROUP BY time($step), "city" fill(0)`, "$tag_city"}},
		},
		{
			kind: graph, title: "Average transaction per city", width: 12, height: 8, unit: dollars, style: lines,
			description: "Sum over count of the transactions of each interval.",
			queries:     []query{{`SELECT mean("amount") FROM ` + transactions + ` WHERE ` + cityOnly + ` GROUP BY time($step), "city" fill(null)`, "$tag_city"}},
		},
		{
			kind: graph, title: "Share of each city", width: 12, height: 8, stack: percent, style: lines,
			description: "Of the volume of each interval.",
			queries:     []query{{`SELECT sum("amount") FROM ` + transactions + ` WHERE ` + cityOnly + ` GROUP BY time($step), "city" fill(0)`, "$tag_city"}},
		},
		{
			kind: table, title: "Cities", width: 24, height: 7, columns: cityColumns,
			description: "Over the whole range, in $.",
			queries: []query{{`SELECT count("amount") AS "Transactions", mean("amount") AS "Average", sum("amount") AS "Total", max("amount") AS "Largest" FROM ` +
				transactions + ` WHERE ` + cityOnly + ` GROUP BY "city"`, ""}},
		},
		{
			kind: table, title: "Alerts", width: 24, height: 9, columns: alertColumns, link: alertLink,
			description: "A click on a row shows the transfers behind it. Amounts in $.",
			queries: []query{{`SELECT "source" AS "Source", "target" AS "Target", "total" AS "Total", "threshold" AS "Threshold", "transfers" AS "Transfers", ` +
				`"cities" AS "Cities", "first_ms" - 60000 AS "from", "last_ms" + 60000 AS "to" FROM ` + alerts + ` WHERE $timeFilter ORDER BY time DESC LIMIT 200`, ""}},
		},
	},
}
