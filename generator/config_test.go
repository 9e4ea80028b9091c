package main

import (
	"bytes"
	"strings"
	"testing"

	"fintrans/internal/service"
)

// start runs the service with settings that end it before it serves.
func start(t *testing.T, args []string, environment map[string]string) (status int, stderr string) {
	t.Helper()
	var out, errors bytes.Buffer
	app := service.App[config]{Name: name, Description: "test", Serve: serve}
	status = service.Run(app, args, func(key string) (string, bool) {
		value, ok := environment[key]
		return value, ok
	}, &out, &errors)
	return status, errors.String()
}

func TestBadSettings(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ variable, value, want string }{
		{"BROKER", "nowhere", "nowhere"},
		{"GEN_WAIT_SEC", "soon", "soon"},
		{"GEN_WAIT_SEC", "-1", "-1"},
		{"GEN_COUNT", "-5", "-5"},
		{"GEN_COUNT", "1.5", "1.5"},
		{"GEN_SEED", "x", "x"},
		{"GEN_ACCOUNTS", "1", "1"},
		{"GEN_ACCOUNTS", "4294967296", "4294967296"},
		{"GEN_AMOUNTS", "gamma", "gamma"},
		{"GEN_CITY_WEIGHTS", "Paris=1", "unknown city"},
		{"GEN_CITY_WEIGHTS", "London", "no weight"},
		{"GEN_CITY_WEIGHTS", "London=-1", "no weight"},
		{"GEN_CITY_WEIGHTS", "London=NaN", "no weight"},
		{"GEN_CITY_WEIGHTS", "London=1,London=2", "twice"},
		{"GEN_CITY_WEIGHTS", "London=0,NYC=0", "weighs nothing"},
		{"GEN_CITY_WEIGHTS", "London=1,,", "unknown city"},
		{"RING_SHARE", "1.1", "1.1"},
		{"RING_SHARE", "-0.1", "-0.1"},
		{"RING_SHARE", "NaN", "NaN"},
		{"RING_SPREAD", "2", "2"},
		{"RING_SPREAD", "-1m", "-1m"},
		{"RING_TOTAL", "29", "29"},
		{"RING_TOTAL", "1000001", "1000001"},
		{"KAFKA_VERSION", "0.10.0.0", "0.10.0.0"},
		{"KAFKA_TLS", "perhaps", "perhaps"},
		{"KAFKA_SASL_MECHANISM", "GSSAPI", "GSSAPI"},
		{"KAFKA_SASL_USER", "alice", "KAFKA_SASL_MECHANISM"},
		{"KAFKA_TLS_CA_FILE", "/ca.pem", "KAFKA_TLS=true"},
	} {
		t.Run(test.variable+"="+test.value, func(t *testing.T) {
			t.Parallel()
			flag := "--" + strings.ReplaceAll(strings.ToLower(test.variable), "_", "-")
			for _, way := range []struct {
				name        string
				args        []string
				environment map[string]string
			}{
				{test.variable, nil, map[string]string{test.variable: test.value}},
				{flag, []string{flag + "=" + test.value}, nil},
			} {
				status, stderr := start(t, way.args, way.environment)
				if status != service.ExitUsage || strings.Count(stderr, "\n") != 1 {
					t.Errorf("%s: got status %d and %q, want 2 and one line", way.name, status, stderr)
				}
				named := strings.Contains(stderr, way.name) || strings.Contains(stderr, test.variable)
				if !named || !strings.Contains(stderr, test.want) {
					t.Errorf("%s: got %q, want the setting and %q", way.name, stderr, test.want)
				}
			}
		})
	}
}

func TestCityWeightsAreRead(t *testing.T) {
	t.Parallel()
	var w cityWeights
	if err := w.UnmarshalText([]byte("Tokyo=2, London=0.5,SF=0")); err != nil {
		t.Fatal(err)
	}
	if want := (cityWeights{0.5, 0, 0, 0, 2}); w != want {
		t.Errorf("got %v, want %v", w, want)
	}
	var again cityWeights
	if err := again.UnmarshalText([]byte(w.String())); err != nil || again != w {
		t.Errorf("%s is read as %v, error %v", w, again, err)
	}
}

func TestRingSpreadIsCountedInTransactions(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		cfg  config
		want int64
	}{
		{"defaults", config{GenWaitSec: service.Seconds(2e9), RingSpread: service.Duration(120e9)}, 60},
		{"twenty a second", config{GenWaitSec: service.Seconds(5e7), RingSpread: service.Duration(120e9)}, 2400},
		{"as fast as possible", config{RingSpread: service.Duration(120e9)}, 120_000},
		{"no spread", config{GenWaitSec: service.Seconds(2e9)}, 0},
	} {
		if got := test.cfg.plan(1).ringSpread; got != test.want {
			t.Errorf("%s: got %d, want %d", test.name, got, test.want)
		}
	}
}

func TestSeed(t *testing.T) {
	t.Parallel()
	if got := (config{GenSeed: 42}).seed(); got != 42 {
		t.Errorf("got %d", got)
	}
	if a, b := (config{}).seed(), (config{}).seed(); a == 0 || b == 0 || a == b {
		t.Errorf("got seeds %d and %d, want random ones", a, b)
	}
}
