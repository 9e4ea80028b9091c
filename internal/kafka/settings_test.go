package kafka

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"

	"fintrans/internal/service"
)

const password = "open sesame"

func TestSettingsThatContradict(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	noPEM := filepath.Join(dir, "no.pem")
	if err := os.WriteFile(noPEM, []byte("this is no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	absent := filepath.Join(dir, "absent.pem")
	secret := service.NewSecret(password)
	for _, test := range []struct {
		name     string
		settings Settings
		want     string // in the error; "" = no error
	}{
		{"nothing set", Settings{}, ""},
		{"instance without static membership", Settings{KafkaGroupInstanceID: "a", KafkaVersion: Version{sarama.V2_1_0_0}}, "KAFKA_VERSION is 2.1.0"},
		{"TLS alone", Settings{KafkaTLS: true}, ""},
		{"authority without TLS", Settings{KafkaTLSCAFile: noPEM}, "KAFKA_TLS_CA_FILE"},
		{"certificate without TLS", Settings{KafkaTLSCertFile: noPEM}, "KAFKA_TLS_CERT_FILE"},
		{"key without TLS", Settings{KafkaTLSKeyFile: noPEM}, "KAFKA_TLS_KEY_FILE"},
		{"server name without TLS", Settings{KafkaTLSServerName: "kafka"}, "KAFKA_TLS_SERVER_NAME"},
		{"authority that is not there", Settings{KafkaTLS: true, KafkaTLSCAFile: absent}, "KAFKA_TLS_CA_FILE cannot be read"},
		{"authority that is no PEM", Settings{KafkaTLS: true, KafkaTLSCAFile: noPEM}, "expected at least one certificate in PEM format"},
		{"certificate without key", Settings{KafkaTLS: true, KafkaTLSCertFile: noPEM}, "KAFKA_TLS_KEY_FILE is empty"},
		{"key without certificate", Settings{KafkaTLS: true, KafkaTLSKeyFile: noPEM}, "KAFKA_TLS_CERT_FILE is empty"},
		{"certificate that is no PEM", Settings{KafkaTLS: true, KafkaTLSCertFile: noPEM, KafkaTLSKeyFile: noPEM}, "a certificate and its key in PEM format"},
		{"user without mechanism", Settings{KafkaSASLUser: "u"}, "KAFKA_SASL_MECHANISM is none"},
		{"user with mechanism none", Settings{KafkaSASLUser: "u", KafkaSASLMechanism: "none"}, "KAFKA_SASL_MECHANISM is none"},
		{"password without mechanism", Settings{KafkaSASLPassword: secret}, "KAFKA_SASL_PASSWORD is set"},
		{"mechanism without user", Settings{KafkaSASLMechanism: "PLAIN", KafkaSASLPassword: secret}, "KAFKA_SASL_USER is empty"},
		{"mechanism without password", Settings{KafkaSASLMechanism: "SCRAM-SHA-256", KafkaSASLUser: "u"}, "KAFKA_SASL_PASSWORD and KAFKA_SASL_PASSWORD_FILE are empty"},
		{"unknown mechanism", Settings{KafkaSASLMechanism: "GSSAPI", KafkaSASLUser: "u", KafkaSASLPassword: secret}, `"GSSAPI": expected none, PLAIN`},
		{"PLAIN", Settings{KafkaSASLMechanism: "PLAIN", KafkaSASLUser: "u", KafkaSASLPassword: secret}, ""},
		{"SCRAM", Settings{KafkaSASLMechanism: "SCRAM-SHA-512", KafkaSASLUser: "u", KafkaSASLPassword: secret}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := test.settings.Validate()
			if test.want == "" {
				if err != nil {
					t.Errorf("got error %v", err)
				}
				return
			}
			if err == nil {
				t.Fatalf("got no error, want one with %q", test.want)
			}
			if !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), password) {
				t.Errorf("got error %q, want one line with %q and no password", err, test.want)
			}
		})
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]sarama.KafkaVersion{
		"0.11.0.0": sarama.V0_11_0_0, "2.1.0": sarama.V2_1_0_0, "2.8.0": sarama.V2_8_0_0, "4.0.0": sarama.V4_0_0_0,
	} {
		var v Version
		if err := v.UnmarshalText([]byte(text)); err != nil || v.KafkaVersion != want {
			t.Errorf("%s: got %v, error %v", text, v, err)
		}
	}
	for _, text := range []string{"", "two", "0.10.2.0", "0.8.2", "99.0.0", "2.8", "-1.0.0"} {
		var v Version
		if err := v.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q: got %v, want an error", text, v)
		} else if !strings.Contains(err.Error(), `"`+text+`"`) {
			t.Errorf("%q: the error does not name it: %v", text, err)
		}
	}
}

func TestInstanceIDs(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"a", "detector-1.eu_west", "..."} {
		var id InstanceID
		if err := id.UnmarshalText([]byte(text)); err != nil || string(id) != text {
			t.Errorf("%q: got %q, error %v", text, id, err)
		}
		if err := (Settings{KafkaGroupInstanceID: id}).Validate(); err != nil {
			t.Errorf("%q: sarama refuses it: %v", text, err)
		}
	}
	for _, text := range []string{"", ".", "..", "one two", "é", strings.Repeat("a", 250), "a/b", "\n"} {
		var id InstanceID
		if err := id.UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), "expected") {
			t.Errorf("%q: got %q, error %v, want one that says what was expected", text, id, err)
		}
	}
}

func TestGroup(t *testing.T) {
	t.Parallel()
	var group Group
	if err := group.UnmarshalText([]byte("größer 2")); err != nil || group != "größer 2" {
		t.Errorf("got %q, error %v", group, err)
	}
	if err := group.UnmarshalText(nil); err == nil || !strings.Contains(err.Error(), "expected") {
		t.Errorf("empty: got %v, want an error that says what was expected", err)
	}
}

func TestConfigFitsTheGroup(t *testing.T) {
	t.Parallel()
	cfg := configFor(t, Settings{KafkaGroupInstanceID: "ingest-1"})
	group := cfg.Consumer.Group
	if cfg.Net.ReadTimeout <= group.Rebalance.Timeout {
		t.Errorf("a join may take %s, the answer is waited for only %s", group.Rebalance.Timeout, cfg.Net.ReadTimeout)
	}
	if service.DrainBudget >= group.Rebalance.Timeout {
		t.Errorf("a drain may take %s, a rebalance only %s", service.DrainBudget, group.Rebalance.Timeout)
	}
	if pause := group.Rebalance.Retry.Backoff; pause > time.Second/2 {
		t.Errorf("the others wait for %s while a member is about to join once more", pause)
	}
	if name := group.Rebalance.GroupStrategies[0].Name(); name != sarama.RangeBalanceStrategyName {
		t.Errorf("got strategy %s, want range", name)
	}
	if cfg.Consumer.IsolationLevel != sarama.ReadCommitted || cfg.Consumer.Offsets.AutoCommit.Enable ||
		cfg.Consumer.Offsets.Initial != sarama.OffsetOldest || cfg.Metadata.AllowAutoTopicCreation ||
		!cfg.Consumer.Return.Errors || group.InstanceId != "ingest-1" {
		t.Errorf("got %+v", cfg.Consumer)
	}
	if cfg.Version != sarama.DefaultVersion {
		t.Errorf("got version %s", cfg.Version)
	}
}

func TestSASLWithoutTLSIsWarnedOf(t *testing.T) {
	t.Parallel()
	sasl := Settings{KafkaSASLMechanism: "PLAIN", KafkaSASLUser: "u", KafkaSASLPassword: service.NewSecret(password)}
	both := sasl
	both.KafkaTLS = true
	for _, test := range []struct {
		name     string
		settings Settings
		want     int
	}{{"neither", Settings{}, 0}, {"SASL alone", sasl, 1}, {"both", both, 0}} {
		log, lines := newLog()
		test.settings.LogEffective(log)
		if got := lines.count("SASL without TLS"); got != test.want {
			t.Errorf("%s: got %d warnings, want %d", test.name, got, test.want)
		}
	}
}
