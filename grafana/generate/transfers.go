package main

// ofPair and pairOnly limit a query to the pair. With the zero in front an empty value, as long as there are no alerts, is
// still a number, so that the panels are empty instead of showing an error.
const (
	ofPair   = `"source" = 0$source AND "target" = 0$target`
	pairOnly = `$timeFilter AND ` + ofPair
)

// transfers is where an alert leads to.
var transfers = dashboard{
	uid:         "fintrans-transfers",
	title:       "Transfers behind an alert",
	description: "What one account sent to another around an alert, transfer by transfer.",
	from:        "now-1h",
	variables: []variable{
		{name: "source", label: "Source", kind: lookup, query: `SELECT DISTINCT("source") FROM ` + alerts},
		{name: "target", label: "Target", kind: lookup, query: `SELECT DISTINCT("target") FROM ` + alerts + ` WHERE "source" = 0$source`},
		{name: "threshold", label: "Threshold", kind: lookup, query: `SELECT DISTINCT("threshold") FROM ` + alerts + ` WHERE ` + ofPair},
	},
	alerts: `SELECT "total" AS "Total", "cities" AS "Cities" FROM ` + alerts + ` WHERE ` + pairOnly,
	panels: []panel{
		{
			kind: stat, title: "Transfers", width: 6, height: 4, empty: "none",
			queries: []query{{`SELECT count("amount") FROM ` + transactions + ` WHERE ` + pairOnly, "Transfers"}},
		},
		{
			kind: stat, title: "Total, $", width: 6, height: 4, empty: "none", // no unit: Grafana would round it to thousands
			queries: []query{{`SELECT sum("amount") FROM ` + transactions + ` WHERE ` + pairOnly, "Total"}},
		},
		{
			kind: text, title: "How to read this", width: 12, height: 4,
			text: "The range is that of the alert and a minute on both sides. " +
				"Transactions are kept for an hour: of an older alert the transfers are no longer there, the alert itself is kept for a month.",
		},
		{
			kind: graph, title: "Running sum against the threshold", width: 24, height: 9, unit: dollars, style: points,
			queries: []query{
				{`SELECT cumulative_sum("amount") FROM ` + transactions + ` WHERE ` + pairOnly, "running sum"},
				{`SELECT "amount" * 0 + 0$threshold FROM ` + transactions + ` WHERE ` + pairOnly, "threshold"},
			},
		},
		{
			kind: table, title: "Transfers, one by one", width: 24, height: 10,
			description: "Amounts in $.",
			columns:     []column{{"Time", asTime}, {"City", asText}, {"Amount", asNumber}},
			queries:     []query{{`SELECT "city" AS "City", "amount" AS "Amount" FROM ` + transactions + ` WHERE ` + pairOnly, ""}},
		},
	},
}
