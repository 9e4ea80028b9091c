package cases

import "fintrans/demo/harness"

// secret is a password that nobody may ever see.
const secret = "cL7-hunter2-q9"

var services = []string{"generator", ingest, detector}

// publicDefaults are the settings that people and apps rely on, with what --help says of their
// defaults.
var publicDefaults = map[string]map[string]string{
	"generator": {
		"BROKER":       "default 127.0.0.1:9092",
		"LISTEN":       "default :$PORT0, without that 127.0.0.1:0",
		"GEN_WAIT_SEC": "default 2",
	},
	ingest: {
		"BROKER":           "default 127.0.0.1:9092",
		"LISTEN":           "default :$PORT0, without that 127.0.0.1:0",
		"INFLUX_API":       "default http://127.0.0.1:8086",
		"INFLUX_TARGET_DB": "default fintrans",
		"INGEST_WAIT_SEC":  "default 1",
		"MAX_AHEAD":        "default 1m",
	},
	detector: {
		"BROKER":          "default 127.0.0.1:9092",
		"LISTEN":          "default :$PORT0, without that 127.0.0.1:0",
		"ALERT_THRESHOLD": "default 10000",
		"ALERT_WINDOW":    "default 1h",
		"ALERT_LATENESS":  "default 10m",
		"ALERT_REPEAT":    "default episode",
		"PROD_OUTPUT":     "default true",
		"MAX_AHEAD":       "default 1m",
	},
}

// badValue is a value that a setting does not have, and what the line about it says.
type badValue struct {
	value    string
	expected string
	shown    string // of the value; empty is all of it in quotes
}

var (
	badDurations = []badValue{
		{value: "an hour", expected: "1h"}, {value: "1", expected: "10m or 1h"}, {value: "-1m", expected: "negative"}, {value: "9999999h", expected: "1h"},
	}
	badSeconds = []badValue{
		{value: "a", expected: "0.05"}, {value: "-1", expected: "negative"}, {value: "NaN", expected: "0.05"}, {value: "99999999999999999999", expected: "at most"},
	}
	badCounts = []badValue{
		{value: "many", expected: "whole number"}, {value: "-1", expected: "whole number"}, {value: "NaN", expected: "whole number"},
		{value: "18446744073709551616", expected: "whole number"},
	}
	badBooleans = []badValue{{value: "maybe", expected: "true or false"}}
	badTopics   = []badValue{
		{value: "alerts of today", expected: "letters"}, {value: "..", expected: "letters"}, {value: "London", expected: "another one"},
	}
	badURLs = []badValue{
		{value: "127.0.0.1:8086", expected: "http://host:port"}, {value: "ftp://host:1", expected: "http://host:port"},
		{value: "http://", expected: "http://host:port"}, {value: "http://host:port", expected: "http://host:port"},
		{value: "http://host/?q=" + secret, expected: "http://host:port", shown: "http://host/?"},
		{value: "http://user:" + secret + "@host:8086", expected: "settings of their own", shown: "@host:8086"},
	}
)

// plus returns the rows with more behind them.
func plus(rows []badValue, more ...badValue) []badValue {
	return append(rows[:len(rows):len(rows)], more...)
}

// badValues are values that a setting does not have, whatever the others are.
var badValues = map[string][]badValue{
	"LISTEN": {
		{value: "8080", expected: "127.0.0.1:8080"}, {value: ":http", expected: ":port"}, {value: ":70000", expected: ":port"},
		{value: ":-1", expected: ":port"}, {value: "a b:1", expected: ":port"},
	},
	"LOG_LEVEL":  {{value: "inof", expected: "info"}, {value: "panic", expected: "info"}},
	"LOG_FORMAT": {{value: "xml", expected: "text or json"}, {value: "JSON", expected: "text or json"}},
	"BROKER": {
		{value: "localhost", expected: "host:port"}, {value: "localhost:0", expected: "host:port"}, {value: ":9092", expected: "host:port"},
		{value: "localhost:65536", expected: "host:port"}, {value: "http://localhost:9092", expected: "host:port"},
		{value: "a:1,,b:2", expected: "host:port"}, {value: "a:1,b", expected: "host:port", shown: `"b"`},
		{value: "user:" + secret + "@host:9092", expected: "host:port", shown: "@host:9092"},
	},
	"KAFKA_VERSION": {
		{value: "new", expected: "0.11.0.0"}, {value: "0.10.2.0", expected: "0.11.0.0"}, {value: "99.0.0", expected: "0.11.0.0"},
	},
	"KAFKA_GROUP_INSTANCE_ID": {{value: "one two", expected: "letters"}},
	"KAFKA_TLS":               badBooleans,
	"KAFKA_SASL_MECHANISM":    {{value: "plain", expected: "PLAIN"}, {value: "GSSAPI", expected: "SCRAM-SHA-512"}},

	"INFLUX_API":      badURLs,
	"INGEST_WAIT_SEC": plus(badSeconds, badValue{value: "31", expected: "at most 30"}),
	"MAX_AHEAD":       badDurations,

	"ALERT_THRESHOLD": badCounts,
	"ALERT_WINDOW":    badDurations,
	"ALERT_LATENESS":  badDurations,
	"ALERT_REPEAT":    {{value: "twice", expected: "episode or every"}, {value: "EVERY", expected: "episode or every"}},
	"PROD_OUTPUT":     badBooleans,

	"ALERTS_TOPIC":   badTopics,
	"PIPELINE_TOPIC": badTopics,

	"GEN_WAIT_SEC": badSeconds,
	"GEN_COUNT":    badCounts,
	"GEN_SEED":     badCounts,
	"GEN_ACCOUNTS": plus(badCounts, badValue{value: "1", expected: "from 2"}, badValue{value: "4294967296", expected: "to 4294967295"}),
	"GEN_AMOUNTS":  {{value: "normal", expected: "lognormal or uniform"}},
	"GEN_CITY_WEIGHTS": {
		{value: "Paris=1", expected: "unknown city"}, {value: "London", expected: "London=2"}, {value: "London=-1", expected: "London=2"},
		{value: "London=NaN", expected: "London=2"}, {value: "London=Inf", expected: "London=2"}, {value: "London=1,London=2", expected: "twice"},
		{value: "London=0,NYC=0", expected: "above 0"}, {value: ",", expected: "unknown city"},
	},
	"RING_SHARE": {
		{value: "some", expected: "decimal number"}, {value: "-0.1", expected: "from 0 to 1"}, {value: "1.1", expected: "from 0 to 1"},
		{value: "NaN", expected: "decimal number"}, {value: "1e999", expected: "decimal number"}, {value: "1%", expected: "decimal number"},
	},
	"RING_SPREAD": badDurations,
	"RING_TOTAL":  plus(badCounts, badValue{value: "29", expected: "from 30"}, badValue{value: "1000001", expected: "to 1000000"}),
}

// shared are settings that the services have in common.
var shared = map[string]bool{
	"LISTEN": true, "LOG_LEVEL": true, "LOG_FORMAT": true, "BROKER": true, "KAFKA_VERSION": true, "KAFKA_GROUP_INSTANCE_ID": true,
	"KAFKA_TLS": true, "KAFKA_SASL_MECHANISM": true, "MAX_AHEAD": true, "ALERTS_TOPIC": true, "PIPELINE_TOPIC": true,
}

// freeText are settings of which every value is good as a variable, where an empty one counts as unset, and why.
var freeText = map[string]string{
	"KAFKA_GROUP": "Kafka puts no limits on the names of groups",
	"INFLUX_USER": "InfluxDB puts no limits on the names of users",
}

// jointly are settings that badTogether has rows about: they are good or bad by what is in a file or
// by the others.
var jointly = map[string]bool{
	"KAFKA_TLS_CA_FILE": true, "KAFKA_TLS_CERT_FILE": true, "KAFKA_TLS_KEY_FILE": true, "KAFKA_TLS_SERVER_NAME": true,
	"KAFKA_SASL_USER": true, "KAFKA_SASL_PASSWORD_FILE": true,
	"INFLUX_PASSWORD_FILE": true, "INFLUX_CA_FILE": true, "INFLUX_TARGET_DB": true,
}

// conflict are settings that are not valid together. DIR is that of secretFiles.
type conflict struct {
	about string // the setting that the line names, of the services that have it
	env   harness.Env
	says  []string
}

var badTogether = []conflict{
	{"KAFKA_TLS_CA_FILE", harness.Env{"KAFKA_TLS_CA_FILE": "/ca.pem"}, []string{`"/ca.pem"`, "KAFKA_TLS=true"}},
	{"KAFKA_TLS_CERT_FILE", harness.Env{"KAFKA_TLS_CERT_FILE": "/cert.pem"}, []string{`"/cert.pem"`, "KAFKA_TLS=true"}},
	{"KAFKA_TLS_KEY_FILE", harness.Env{"KAFKA_TLS_KEY_FILE": "/key.pem"}, []string{`"/key.pem"`, "KAFKA_TLS=true"}},
	{"KAFKA_TLS_SERVER_NAME", harness.Env{"KAFKA_TLS_SERVER_NAME": "kafka"}, []string{`"kafka"`, "KAFKA_TLS=true"}},
	{"KAFKA_TLS_CA_FILE", harness.Env{"KAFKA_TLS": "true", "KAFKA_TLS_CA_FILE": "DIR/none"}, []string{"/none", "no such file"}},
	{"KAFKA_TLS_CA_FILE", harness.Env{"KAFKA_TLS": "true", "KAFKA_TLS_CA_FILE": "DIR/noise"}, []string{"/noise", "certificate"}},
	{"KAFKA_TLS_CERT_FILE", harness.Env{"KAFKA_TLS": "true", "KAFKA_TLS_CERT_FILE": "DIR/noise"}, []string{"/noise", "KAFKA_TLS_KEY_FILE"}},
	{"KAFKA_TLS_KEY_FILE", harness.Env{"KAFKA_TLS": "true", "KAFKA_TLS_KEY_FILE": "DIR/noise"}, []string{"/noise", "KAFKA_TLS_CERT_FILE"}},
	{"KAFKA_TLS_CERT_FILE", harness.Env{"KAFKA_TLS": "true", "KAFKA_TLS_CERT_FILE": "DIR/noise", "KAFKA_TLS_KEY_FILE": "DIR/noise"}, []string{"/noise"}},

	{"KAFKA_GROUP_INSTANCE_ID", harness.Env{"KAFKA_GROUP_INSTANCE_ID": "one", "KAFKA_VERSION": "2.2.0"}, []string{`"one"`, "2.3.0"}},
	{"KAFKA_SASL_USER", harness.Env{"KAFKA_SASL_USER": "somebody"}, []string{`"somebody"`, "KAFKA_SASL_MECHANISM", "PLAIN"}},
	{"KAFKA_SASL_PASSWORD", harness.Env{"KAFKA_SASL_PASSWORD": secret}, []string{"KAFKA_SASL_MECHANISM", "PLAIN"}},
	{"KAFKA_SASL_USER", harness.Env{"KAFKA_SASL_MECHANISM": "PLAIN", "KAFKA_SASL_PASSWORD": secret}, nil},
	{"KAFKA_SASL_PASSWORD_FILE", harness.Env{"KAFKA_SASL_MECHANISM": "PLAIN", "KAFKA_SASL_USER": "somebody"}, []string{"KAFKA_SASL_PASSWORD"}},
	{"KAFKA_SASL_PASSWORD_FILE", harness.Env{"KAFKA_SASL_PASSWORD_FILE": "DIR/none"}, []string{"/none", "no such file"}},
	{"KAFKA_SASL_PASSWORD_FILE", harness.Env{"KAFKA_SASL_PASSWORD_FILE": "DIR"}, []string{"directory"}},
	{"KAFKA_SASL_PASSWORD_FILE", harness.Env{"KAFKA_SASL_PASSWORD_FILE": "DIR/empty"}, []string{"/empty", "is empty"}},
	{"KAFKA_SASL_PASSWORD_FILE", harness.Env{"KAFKA_SASL_PASSWORD_FILE": "DIR/large"}, []string{"/large", "too large"}},
	{"KAFKA_SASL_PASSWORD_FILE", harness.Env{"KAFKA_SASL_PASSWORD_FILE": "DIR/secret", "KAFKA_SASL_PASSWORD": secret}, []string{"/secret", "one of them"}},

	{"PIPELINE_TOPIC", harness.Env{"ALERTS_TOPIC": "one", "PIPELINE_TOPIC": "one"}, []string{`"one"`, "another"}},

	{"INFLUX_TARGET_DB", harness.Env{"INFLUX_TARGET_DB": "a/b"}, []string{`"a/b"`}},
	{"INFLUX_TARGET_DB", harness.Env{"INFLUX_TARGET_DB": ".."}, []string{`".."`}},
	{"INFLUX_TARGET_DB", harness.Env{"INFLUX_TARGET_DB": "a\nb"}, []string{`"a\nb"`}},
	{"INFLUX_USER", harness.Env{"INFLUX_PASSWORD": secret}, []string{"INFLUX_PASSWORD"}},
	{"INFLUX_PASSWORD_FILE", harness.Env{"INFLUX_PASSWORD_FILE": "DIR/none"}, []string{"/none", "no such file"}},
	{"INFLUX_PASSWORD_FILE", harness.Env{"INFLUX_PASSWORD_FILE": "DIR/secret", "INFLUX_PASSWORD": secret}, []string{"one of them"}},
	{"INFLUX_CA_FILE", harness.Env{"INFLUX_CA_FILE": "DIR/noise"}, []string{"/noise", "an https URL"}},
	{"INFLUX_CA_FILE", harness.Env{"INFLUX_CA_FILE": "DIR/none", "INFLUX_API": "https://influx:8086"}, []string{"/none", "no such file"}},
	{"INFLUX_CA_FILE", harness.Env{"INFLUX_CA_FILE": "DIR/noise", "INFLUX_API": "https://influx:8086"}, []string{"/noise", "certificate"}},
}
