package security_test

import (
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"fintrans/demo/cases"
	"fintrans/test/certificates"
	"fintrans/test/real"
	"fintrans/test/realkafka"
)

func TestNewest(t *testing.T) {
	t.Parallel()
	h := newHouse(t, realkafka.Kafka4, false)
	h.lets(t, slices.Concat(h.byTLS(), h.byPassword()))
	h.refuses(t)
}

// TestKafka39 and TestKafka24 are there for what differs: where the brokers have their users from.
func TestKafka39(t *testing.T) {
	t.Parallel()
	h := newHouse(t, realkafka.Kafka39, false)
	h.lets(t, h.byPassword())
}

func TestKafka24(t *testing.T) {
	t.Parallel()
	h := newHouse(t, realkafka.Kafka24, false)
	h.lets(t, h.byPassword())
}

// way is one into the house.
type way struct {
	name   string
	access func(*testing.T) cases.Access
}

func (h *house) byTLS() []way {
	return []way{
		{"TLS", func(*testing.T) cases.Access { return h.over(tls) }},
		{"TLSToAnotherName", func(*testing.T) cases.Access { return plus(h.over(elsewhere), "KAFKA_TLS_SERVER_NAME", elsewhereHost) }},
		{"MutualTLS", func(t *testing.T) cases.Access { return h.showing(t, h.ours, certificates.Subject{Name: user}) }},
	}
}

func (h *house) byPassword() []way {
	return []way{
		{"Plain", func(t *testing.T) cases.Access { return h.fromFile(t, h.as("PLAIN", user, password)) }},
		{"Scram256", func(*testing.T) cases.Access { return h.as("SCRAM-SHA-256", user, password) }},
		{"Scram512", func(*testing.T) cases.Access { return h.as("SCRAM-SHA-512", user, password) }},
	}
}

// lets shows ways in, one after the other.
func (h *house) lets(t *testing.T, ways []way) {
	t.Helper()
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) { cases.Admitted(w.access(t))(t, real.On(h.Cluster)) })
	}
}

// refuses shows what is said of each access that is none, all at the same time.
func (h *house) refuses(t *testing.T) {
	t.Helper()
	const later = "Ks5-copper-meadow-31" // a password that the user has only when it is given to him
	for _, try := range []struct {
		name     string
		access   func(*testing.T) cases.Access
		sentence string
		mend     func(*testing.T)
	}{
		{"WrongPassword", func(*testing.T) cases.Access { return h.as("PLAIN", user, wrong) },
			`the broker refuses the password of user \"fintrans\" (PLAIN)`, nil},
		{"WrongPasswordUntilItIsRight", func(*testing.T) cases.Access { return h.as("SCRAM-SHA-512", "late", later) },
			`the broker refuses the password of user \"late\" (SCRAM-SHA-512)`,
			func(t *testing.T) { h.addUser(t, "late", later) }},
		{"UnknownUser", func(*testing.T) cases.Access { return h.as("SCRAM-SHA-256", "nobody", wrong) },
			`the broker refuses the password of user \"nobody\" (SCRAM-SHA-256)`, nil},
		{"ExpiredCertificate", func(*testing.T) cases.Access { return h.over(expired) },
			"the broker's certificate is expired or not yet valid: ", nil},
		{"WrongHostName", func(*testing.T) cases.Access { return h.over(elsewhere) },
			"the broker's certificate is for another host: ", nil},
		{"UnknownAuthority", func(*testing.T) cases.Access { return plus(h.over(tls), "KAFKA_TLS_CA_FILE", h.file("other-ca.pem")) },
			"the broker's certificate is signed by an unknown authority: does KAFKA_TLS_CA_FILE name the right one?", nil},
		{"SystemsAuthorities", func(*testing.T) cases.Access { return without(h.over(tls), "KAFKA_TLS_CA_FILE") },
			"the broker's certificate is signed by an unknown authority: does KAFKA_TLS_CA_FILE name the right one?", nil},
		{"NoClientCertificate", func(*testing.T) cases.Access { return h.over(mutual) },
			"a client certificate", nil},
		{"ExpiredClientCertificate", func(t *testing.T) cases.Access {
			return h.showing(t, h.ours, certificates.Subject{Name: user, Ends: time.Now().Add(-time.Minute)})
		}, "the broker refuses the TLS connection, perhaps for want of a client certificate that it trusts (KAFKA_TLS_CERT_FILE): ", nil},
		{"ClientCertificateOfOthers", func(t *testing.T) cases.Access {
			return h.showing(t, h.others, certificates.Subject{Name: user})
		}, "client certificate", nil},
		{"PlaintextToTLS", func(*testing.T) cases.Access { return h.plainly(tls) },
			"KAFKA_TLS", nil},
		{"TLSToPlaintext", func(*testing.T) cases.Access { return h.over("") },
			"TLS on this port", nil},
		{"NoUser", func(*testing.T) cases.Access { return h.over(sasl) },
			"(KAFKA_SASL_MECHANISM)", nil},
		{"UserToAPortWithout", func(*testing.T) cases.Access {
			return plus(h.as("PLAIN", user, password), "BROKER", h.over(tls).Env["BROKER"])
		},
			"KAFKA_SASL_MECHANISM=none or use another port", nil},
	} {
		t.Run(try.name, func(t *testing.T) {
			t.Parallel()
			var mend func()
			if try.mend != nil {
				mend = func() { try.mend(t) }
			}
			cases.Refused(try.access(t), try.sentence, mend)(t, real.Beside(h.Cluster))
		})
	}
	t.Run("SecretsAreFound", func(t *testing.T) {
		t.Parallel()
		cases.SecretsAreFound(t, nil)
	})
}

// addUser gives a user a password, for both kinds of SCRAM.
func (h *house) addUser(t *testing.T, name, password string) {
	t.Helper()
	admin := real.Admin(t, h.Cluster)
	for _, mechanism := range []kadm.ScramMechanism{kadm.ScramSha256, kadm.ScramSha512} { // a request may name a user once
		user := kadm.UpsertSCRAM{User: name, Mechanism: mechanism, Iterations: 4096, Password: password}
		altered, err := admin.AlterUserSCRAMs(t.Context(), nil, []kadm.UpsertSCRAM{user})
		if err == nil {
			err = altered.Error()
		}
		if err != nil {
			t.Fatalf("give user %s a password: %v", name, err)
		}
	}
}
