package kafka

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/IBM/sarama"
	"github.com/sirupsen/logrus"

	"fintrans/internal/service"
	"fintrans/internal/transaction"
)

// The values of KAFKA_SASL_MECHANISM beside sarama's names of the mechanisms.
const noMechanism = "none"

// Settings says where Kafka is and how to get in. Each service embeds it.
type Settings struct {
	Broker service.Addresses `name:"broker" default:"127.0.0.1:9092" help:"Kafka brokers to ask first, host:port, separated by commas."`

	KafkaVersion         Version    `name:"kafka-version" default:"2.8.0" help:"Newest Kafka protocol to speak. With each broker the newest that both know is used, so the default fits Kafka 0.11 to 4.x."`
	KafkaGroupInstanceID InstanceID `name:"kafka-group-instance-id" help:"Name of this instance within its consumer group, unique and the same after a restart. A restart within 6 s then moves no partitions (static membership, Kafka 2.3 or later)."`

	KafkaTLS           service.Bool `name:"kafka-tls" default:"false" help:"Speak TLS to the brokers."`
	KafkaTLSCAFile     string       `name:"kafka-tls-ca-file" help:"PEM file with the authorities that may sign the brokers' certificates; the system's where empty."`
	KafkaTLSCertFile   string       `name:"kafka-tls-cert-file" help:"PEM file with the client certificate, for mutual TLS."`
	KafkaTLSKeyFile    string       `name:"kafka-tls-key-file" help:"PEM file with the key of the client certificate."`
	KafkaTLSServerName string       `name:"kafka-tls-server-name" help:"Host name that the brokers' certificates must have; the name that is dialled where empty."`

	KafkaSASLMechanism service.Choice `name:"kafka-sasl-mechanism" enum:"none,PLAIN,SCRAM-SHA-256,SCRAM-SHA-512" default:"none" help:"How to prove who we are to the brokers."`
	KafkaSASLUser      string         `name:"kafka-sasl-user" help:"User for SASL."`
	KafkaSASLPassword  service.Secret `name:"kafka-sasl-password" help:"Password for SASL."`
}

// Version is the newest version of the Kafka protocol to speak. sarama asks
// each broker what it knows and lowers every request to that, so the version
// matters only as an upper bound.
type Version struct{ sarama.KafkaVersion }

// UnmarshalText reads a version such as 2.8.0. It refuses anything before
// 0.11, which has no idempotent producers and no transactions.
func (v *Version) UnmarshalText(text []byte) error {
	version, err := sarama.ParseKafkaVersion(string(text))
	if err != nil || !version.IsAtLeast(sarama.V0_11_0_0) || !sarama.MaxVersion.IsAtLeast(version) {
		return fmt.Errorf("%q is not a Kafka version that can be spoken; expected one from 0.11.0.0 to %s, such as %s",
			text, sarama.MaxVersion, sarama.DefaultVersion)
	}
	v.KafkaVersion = version
	return nil
}

// InstanceID is the name of a static member of a consumer group.
type InstanceID string

// maxName is the length that brokers allow.
const maxName = 249

// UnmarshalText accepts what brokers do: letters, digits, dots, underscores and
// hyphens.
func (id *InstanceID) UnmarshalText(text []byte) error {
	if !validName(string(text)) {
		return fmt.Errorf("%q is not the name of an instance; expected letters, digits, dots, underscores and hyphens, at most %d", text, maxName)
	}
	*id = InstanceID(text)
	return nil
}

// Topic is the name of a topic that is none of the cities'.
type Topic string

// UnmarshalText accepts what brokers do, but for the topics of the cities, which have other records.
func (t *Topic) UnmarshalText(text []byte) error {
	name := string(text)
	switch {
	case !validName(name):
		return fmt.Errorf("%q is not the name of a topic; expected letters, digits, dots, underscores and hyphens, at most %d", text, maxName)
	case slices.Contains(transaction.Cities(), name):
		return fmt.Errorf("%q is the topic of a city's transactions; expected another one", text)
	}
	*t = Topic(name)
	return nil
}

// DifferentTopics is the error of an alert topic and a pipeline topic that are the same.
func DifferentTopics(alerts, pipeline Topic) error {
	if alerts != "" && alerts == pipeline {
		return fmt.Errorf("PIPELINE_TOPIC %q is the ALERTS_TOPIC, too; expected another one", pipeline)
	}
	return nil
}

// validName tells whether brokers accept the name of a topic or of an instance.
func validName(name string) bool {
	bad := func(r rune) bool {
		return r != '.' && r != '_' && r != '-' && (r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r))
	}
	return name != "" && name != "." && name != ".." && len(name) <= maxName && !strings.ContainsFunc(name, bad)
}

// Group is the name of a consumer group.
type Group string

// UnmarshalText accepts whatever Kafka does: any name but an empty one.
func (g *Group) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return errors.New(`"" is not the name of a consumer group; expected at least one character`)
	}
	*g = Group(text)
	return nil
}

// Validate finds settings that contradict each other and files that cannot be
// used. Its error is one line that names the setting.
func (s Settings) Validate() error {
	_, err := s.Config("fintrans")
	return err
}

// LogEffective says which settings deserve a second look.
func (s Settings) LogEffective(log logrus.FieldLogger) {
	if s.sasl() && !bool(s.KafkaTLS) {
		log.WithField("mechanism", s.KafkaSASLMechanism).
			Warn("SASL without TLS: whoever can see the network can read along, and with PLAIN the password too; set KAFKA_TLS=true")
	}
}

func (s Settings) sasl() bool {
	return s.KafkaSASLMechanism != "" && s.KafkaSASLMechanism != noMechanism
}

func (s Settings) configureSASL(cfg *sarama.Config) error {
	if !s.sasl() {
		switch {
		case s.KafkaSASLUser != "":
			return fmt.Errorf("KAFKA_SASL_USER %q is set but KAFKA_SASL_MECHANISM is none: expected PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512", s.KafkaSASLUser)
		case s.KafkaSASLPassword.IsSet():
			return errors.New("KAFKA_SASL_PASSWORD is set but KAFKA_SASL_MECHANISM is none: expected PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
		}
		return nil
	}
	mechanism := sarama.SASLMechanism(s.KafkaSASLMechanism)
	switch {
	case s.KafkaSASLUser == "":
		return fmt.Errorf("KAFKA_SASL_USER is empty: expected a user for KAFKA_SASL_MECHANISM %s", mechanism)
	case !s.KafkaSASLPassword.IsSet():
		return fmt.Errorf("KAFKA_SASL_PASSWORD and KAFKA_SASL_PASSWORD_FILE are empty: expected a password for KAFKA_SASL_MECHANISM %s", mechanism)
	}
	sasl := &cfg.Net.SASL
	sasl.Enable = true
	sasl.Mechanism = mechanism
	sasl.User = s.KafkaSASLUser
	sasl.Password = s.KafkaSASLPassword.Reveal()
	switch mechanism {
	case sarama.SASLTypePlaintext:
		return nil
	case sarama.SASLTypeSCRAMSHA256, sarama.SASLTypeSCRAMSHA512:
		sasl.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient {
			return &scramClient{hash: scramHashes[mechanism]}
		}
		return nil
	}
	return fmt.Errorf("KAFKA_SASL_MECHANISM %q: expected none, PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512", mechanism)
}
