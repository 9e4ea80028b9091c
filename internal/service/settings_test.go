package service

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sample has a setting of every type.
type sample struct {
	Common
	Nested
	Wait     Seconds  `name:"gen-wait-sec" help:"Pause between two." default:"2"`
	Window   Duration `name:"alert-window" help:"Length of the window; 0 is everything." default:"1h"`
	Repeat   Choice   `name:"alert-repeat" help:"When to alert again." enum:"episode,every" default:"episode"`
	Prod     Bool     `name:"prod-output" help:"Plain output." default:"true"`
	API      URL      `name:"influx-api" help:"Base of the HTTP API." default:"http://127.0.0.1:8086"`
	Accounts Count    `help:"Number of accounts." default:"1000" min:"2" max:"4000000000"`
	Share    Number   `help:"Share of planted rings." default:"0.01" min:"0" max:"1"`
	Buffer   Bytes    `help:"Size of the buffer." default:"64KiB" min:"1KiB"`
	Topic    string   `name:"alerts-topic" help:"Topic of the alerts."`
	Password Secret   `name:"influx-password" help:"Password for InfluxDB."`
}

// Nested is embedded and validates itself.
type Nested struct {
	Broker Addresses `help:"Kafka brokers to start from." default:"127.0.0.1:9092"`
}

func (n Nested) Validate() error {
	if len(n.Broker) > 3 {
		return invalid(n.Broker.String(), "has too many brokers", "3 at most")
	}
	return nil
}

func environ(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, pair := range pairs {
			if key, value, _ := strings.Cut(pair, "="); key == name {
				return value, true
			}
		}
		return "", false
	}
}

// runSample runs an app with the settings of sample that records them and ends at once.
func runSample(args []string, environ func(string) (string, bool)) (got sample, status int, stdout, stderr string) {
	var out, errs bytes.Buffer
	app := App[sample]{
		Name:        "sample",
		Description: "Tries all types of settings.",
		Serve: func(_ context.Context, cfg sample, _ *Runtime) error {
			got = cfg
			return nil
		},
		Signals: make(chan os.Signal),
	}
	status = Run(app, args, environ, &out, &errs)
	return got, status, out.String(), errs.String()
}

func TestInvalidSettings(t *testing.T) {
	t.Parallel()
	const duration = "; expected a Go duration like 90s, 10m or 1h, or 0"
	const seconds = "; expected seconds, e.g. 2, 0.05 or 0"
	const address = "; expected host:port, or several separated by commas"
	const apiURL = "; expected http://host:port or https://host:port"
	tests := []struct {
		flag, value, want string
	}{
		{"alert-window", "1 hour", `"1 hour" is not a duration` + duration},
		{"alert-window", "3600", `"3600" is not a duration` + duration},
		{"alert-window", "-1h", `"-1h" is negative` + duration},
		{"alert-window", "1us", `"1us" is finer than a millisecond` + duration},
		{"alert-window", "99999999999h", `"99999999999h" is not a duration` + duration},
		{"gen-wait-sec", "soon", `"soon" is not a number of seconds` + seconds},
		{"gen-wait-sec", "NaN", `"NaN" is not a number of seconds` + seconds},
		{"gen-wait-sec", "Inf", `"Inf" is not a number of seconds` + seconds},
		{"gen-wait-sec", "-0.5", `"-0.5" is negative` + seconds},
		{"gen-wait-sec", "1e3", `"1e3" is not a number of seconds` + seconds},
		{"gen-wait-sec", "0.0000000001", `"0.0000000001" is finer than a nanosecond` + seconds},
		{"gen-wait-sec", "9223372037", `"9223372037" is too long; expected at most 9223372036.854775807 seconds`},
		{"broker", "kafka", `"kafka" is not an address` + address},
		{"broker", "kafka:9092,,", `"kafka:9092,," has an empty address` + address},
		{"broker", ":9092", `":9092" is not an address` + address},
		{"broker", "kafka:0", `"kafka:0" is not an address` + address},
		{"broker", "kafka:65536", `"kafka:65536" is not an address` + address},
		{"broker", "http://kafka:9092", `"http://kafka:9092" is not an address` + address},
		{"broker", "fe80::1:9092", `"fe80::1:9092" is not an address` + address},
		{"broker", "a:1,b:2,c:3,d:4", `"a:1,b:2,c:3,d:4" has too many brokers; expected 3 at most`},
		{"influx-api", "127.0.0.1:8086", `"127.0.0.1:8086" is not a URL` + apiURL},
		{"influx-api", "localhost:8086", `"localhost:8086" is not an http URL` + apiURL},
		{"influx-api", "ftp://influx", `"ftp://influx" is not an http URL` + apiURL},
		{"influx-api", "http://", `"http://" has no valid host and port` + apiURL},
		{"influx-api", "http://influx:0", `"http://influx:0" has no valid host and port` + apiURL},
		{"influx-api", "http://influx/?db=x", `"http://influx/?********" has a query or a fragment` + apiURL},
		{"influx-api", "http://me:hunter2@influx:8086", `"********@influx:8086" has a user in it` + apiURL + ", with user and password in settings of their own"},
		{"influx-api", "http://influx:8086/?u=me&p=hunter2", `"http://influx:8086/?********" has a query or a fragment` + apiURL},
		{"influx-api", "http://influx:8086#p=hunter2", `"http://influx:8086#********" has a query or a fragment` + apiURL},
		{"influx-api", "http://influx:8086/?p=hun@ter2", `"********" has a query or a fragment` + apiURL},
		{"influx-api", "http://me:hun?ter2@influx:8086", `"********" is not a URL` + apiURL},
		{"influx-api", "http://me:hunter2@influx:8086/?p=hunter2", `"********@influx:8086/?********" has a user in it` + apiURL + ", with user and password in settings of their own"},
		{"broker", "me:hunter2,hunter2@kafka:9092", `"********@kafka:9092" is not an address` + address},
		{"broker", "kafka:9092?password=hunter2,hunter2", `"kafka:9092?********" is not an address` + address},
		{"influx-api", "http://me:hunter2@influx:x", `"********@influx:x" is not a URL` + apiURL},
		{"accounts", "many", `"many" is not a count; expected a whole number, 0 or more`},
		{"accounts", "-1", `"-1" is not a count; expected a whole number, 0 or more`},
		{"accounts", "1.5", `"1.5" is not a count; expected a whole number, 0 or more`},
		{"accounts", "18446744073709551616", `"18446744073709551616" is not a count; expected a whole number, 0 or more`},
		{"accounts", "1", `"1" is out of range; expected from 2 to 4000000000`},
		{"accounts", "4000000001", `"4000000001" is out of range; expected from 2 to 4000000000`},
		{"share", "half", `"half" is not a number; expected a decimal number, e.g. 0.5`},
		{"share", "1.01", `"1.01" is out of range; expected from 0 to 1`},
		{"buffer", "1KB", `"1KB" is not a size; expected bytes, or a number with a unit like 64KiB, 1MiB or 2GiB`},
		{"buffer", "1023", `"1023" is out of range; expected at least 1KiB`},
		{"prod-output", "maybe", `"maybe" is not a boolean; expected true or false`},
		{"alert-repeat", "always", `"always" is not a choice; expected episode or every`},
		{"log-format", "xml", `"xml" is not a choice; expected text or json`},
		{"log-level", "inof", `"inof" is not a log level; expected error, warning, info, debug or trace`},
		{"log-level", "panic", `"panic" is not a log level; expected error, warning, info, debug or trace`},
		{"listen", "8080", `"8080" is not an address to listen on; expected host:port or :port, e.g. 127.0.0.1:8080 or :0`},
		{"listen", ":65536", `":65536" is not an address to listen on; expected host:port or :port, e.g. 127.0.0.1:8080 or :0`},
		{"accounts", "a\nb", `"a\nb" is not a count; expected a whole number, 0 or more`},
		{"accounts", strings.Repeat("9", 200), `"` + strings.Repeat("9", 100) + `..." is not a count; expected a whole number, 0 or more`},
	}
	for _, tt := range tests {
		name := tt.flag + "=" + tt.value[:min(len(tt.value), 30)]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fromFlag, fromVariable := "--"+tt.flag+": ", variableName(tt.flag)+": "
			if strings.HasSuffix(tt.want, "3 at most") { // a check of the whole struct: it cannot tell
				fromFlag, fromVariable = "", ""
			}
			wantUsageError(t, []string{"--" + tt.flag + "=" + tt.value}, environ(), fromFlag+tt.want)
			if tt.flag != "prod-output" { // the only flag that does not take the next argument
				wantUsageError(t, []string{"--" + tt.flag, tt.value}, environ(), fromFlag+tt.want)
			}
			wantUsageError(t, nil, environ(variableName(tt.flag)+"="+tt.value), fromVariable+tt.want)
		})
	}
}

func wantUsageError(t *testing.T, args []string, environ func(string) (string, bool), want string) {
	t.Helper()
	_, status, stdout, stderr := runSample(args, environ)
	if status != ExitUsage || stdout != "" || stderr != "sample: "+want+"\n" {
		t.Errorf("args %q: status %d, stdout %q, stderr\n%s, want status 2 and\nsample: %s", args, status, stdout, stderr, want)
	}
}

func TestInvalidCommandLines(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		args []string
		env  []string
		want string
	}{
		{"unknown flag", []string{"--bogus"}, nil, "unknown flag --bogus; see --help"},
		{"misspelt flag", []string{"--brokr=a:1"}, nil, `unknown flag --brokr, did you mean "--broker"?; see --help`},
		{"unknown short flag", []string{"-xhunter2"}, nil, `unknown flag -x, did you mean "-h"?; see --help`},
		{"stray argument", []string{"start\nnow"}, nil, "unexpected argument start now; see --help"},
		{"argument after a boolean", []string{"--prod-output", "false"}, nil, "unexpected argument false; see --help"},
		{"argument after the end of flags", []string{"--", "--broker"}, nil, "unexpected argument --broker; see --help"},
		{"flag without value at the end", []string{"--broker"}, nil, "--broker: has no value; expected --broker=ADDRESSES"},
		{"flag without value", []string{"--broker", "--share=1"}, nil, "--broker: has no value; expected --broker=ADDRESSES"},
		{"empty value by flag", []string{"--accounts="}, nil, `--accounts: "" is not a count; expected a whole number, 0 or more`},
		{"bad port of Marathon", nil, []string{"PORT0=http"}, `PORT0: ":http" is not an address to listen on; expected host:port or :port, e.g. 127.0.0.1:8080 or :0`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			wantUsageError(t, tt.args, environ(tt.env...), tt.want)
		})
	}
}

func TestPrecedence(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		args []string
		env  []string
		want string
	}{
		{"default", nil, nil, "2"},
		{"environment over default", nil, []string{"GEN_WAIT_SEC=3"}, "3"},
		{"empty variable is unset", nil, []string{"GEN_WAIT_SEC="}, "2"},
		{"flag over environment", []string{"--gen-wait-sec=0.5"}, []string{"GEN_WAIT_SEC=3"}, "0.5"},
		{"flag over a bad variable", []string{"--gen-wait-sec=0.5"}, []string{"GEN_WAIT_SEC=soon"}, "0.5"},
		{"last flag", []string{"--gen-wait-sec=0.5", "--gen-wait-sec", "4"}, nil, "4"},
		{"flag that is zero", []string{"--gen-wait-sec=0"}, []string{"GEN_WAIT_SEC=3"}, "0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, status, _, stderr := runSample(tt.args, environ(tt.env...))
			if status != ExitOK || got.Wait.String() != tt.want {
				t.Errorf("status %d, gen-wait-sec %s, want %s; stderr %s", status, got.Wait, tt.want, stderr)
			}
		})
	}
}

func TestBooleans(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		args []string
		env  []string
		want Bool
	}{
		{"default", nil, nil, true},
		{"variable", nil, []string{"PROD_OUTPUT=false"}, false},
		{"flag alone", []string{"--prod-output"}, []string{"PROD_OUTPUT=false"}, true},
		{"flag with value", []string{"--prod-output=no"}, nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, status, _, stderr := runSample(tt.args, environ(tt.env...))
			if status != ExitOK || got.Prod != tt.want {
				t.Errorf("status %d, prod-output %t, want %t; stderr %s", status, got.Prod, tt.want, stderr)
			}
		})
	}
}

func TestListenDefault(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		args []string
		env  []string
		want Listen
	}{
		{"alone", nil, nil, "127.0.0.1:0"},
		{"under Marathon", nil, []string{"PORT0=31005"}, ":31005"},
		{"empty PORT0", nil, []string{"PORT0="}, "127.0.0.1:0"},
		{"variable over PORT0", nil, []string{"PORT0=31005", "LISTEN=[::1]:0"}, "[::1]:0"},
		{"flag over all", []string{"--listen=localhost:1"}, []string{"PORT0=31005", "LISTEN=:7"}, "localhost:1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var cfg sample
			set, err := newSettings("sample", "", &cfg)
			if err != nil {
				t.Fatal(err)
			}
			if err := set.parse(tt.args, environ(tt.env...)); err != nil || cfg.Listen != tt.want {
				t.Errorf("got %q, %v, want %q", cfg.Listen, err, tt.want)
			}
		})
	}
}

func TestNamesFollowOneRule(t *testing.T) {
	t.Parallel()
	var cfg sample
	set, err := newSettings("sample", "", &cfg)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(set.list), 14; got != want {
		t.Errorf("%d settings, want %d", got, want)
	}
	for _, s := range set.list {
		back := strings.ToLower(strings.ReplaceAll(s.variable(), "_", "-"))
		if s.flag != back || s.flag != strings.ToLower(s.flag) {
			t.Errorf("flag --%s and variable %s are not one name", s.flag, s.variable())
		}
	}
}

func TestMistakesInTheStruct(t *testing.T) {
	t.Parallel()
	var env struct {
		Common
		X Count `env:"Y"`
	}
	var kind struct {
		Common
		X int
	}
	var bare struct{ X Count }
	tests := []struct {
		name string
		cfg  any
		want string
	}{
		{"variable of its own", &env, "--x: has an env tag, but its variable is always X"},
		{"type without our errors", &kind, "--x: int is not a type for settings"},
		{"no Common", &bare, "*struct { X service.Count } does not embed service.Common"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := newSettings("sample", "", tt.cfg); err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile(filepath.Join("testdata", "help.golden"))
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"--help"}, {"-h"}, {"--accounts=7", "--help", "--bogus"}} {
		_, status, stdout, stderr := runSample(args, environ("INFLUX_PASSWORD=hunter2", "ACCOUNTS=many"))
		if status != ExitOK || stdout != string(want) || stderr != "" {
			t.Errorf("args %q: status %d, stderr %q, stdout\n%s\nwant\n%s", args, status, stderr, stdout, want)
		}
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	_, status, stdout, stderr := runSample([]string{"--version"}, environ("VERSION=7"))
	if want := versionLine("sample", CurrentBuild()); status != ExitOK || stdout != want || stderr != "" {
		t.Errorf("status %d, stdout %q, stderr %q, want %q", status, stdout, stderr, want)
	}
	if _, status, _, stderr = runSample(nil, environ("VERSION=7")); status != ExitOK {
		t.Errorf("a variable VERSION ends with status %d: %s", status, stderr)
	}
}

func TestReadSettingsOfAProgramThatIsNoService(t *testing.T) {
	t.Parallel()
	type config struct {
		Rate    Number      `default:"20" min:"1" help:"Transactions a second."`
		Version VersionFlag `help:"Print the version and exit."`
	}
	tests := []struct {
		name         string
		args         []string
		rate         string // variable
		want         Number
		answer, fail string // contained
	}{
		{name: "default", want: 20},
		{name: "variable", rate: "30", want: 30},
		{name: "flag", args: []string{"--rate=40"}, rate: "30", want: 40},
		{name: "help", args: []string{"--help"}, rate: "x", answer: "--rate=NUMBER, RATE (default 20; at least 1)"},
		{name: "version", args: []string{"--version"}, answer: "sample "},
		{name: "not valid", rate: "x", fail: `RATE: "x" is not a number; expected`},
		{name: "out of range", args: []string{"--rate=0"}, fail: `--rate: "0" is out of range; expected at least 1`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var cfg config
			environ := func(name string) (string, bool) { return test.rate, name == "RATE" && test.rate != "" }
			answer, err := ReadSettings("sample", "", &cfg, test.args, environ)
			switch {
			case test.fail != "" && (err == nil || !strings.Contains(err.Error(), test.fail)):
				t.Errorf("got %v, want an error with %q", err, test.fail)
			case test.fail == "" && err != nil:
				t.Errorf("got %v, want no error", err)
			case !strings.Contains(answer, test.answer) || test.answer == "" && answer != "":
				t.Errorf("answer %q, want %q", answer, test.answer)
			case test.want != 0 && cfg.Rate != test.want:
				t.Errorf("rate %v, want %v", cfg.Rate, test.want)
			}
		})
	}
}
