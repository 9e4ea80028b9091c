package security_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fintrans/demo/cases"
	"fintrans/demo/harness"
	"fintrans/test/certificates"
	"fintrans/test/real"
	"fintrans/test/realkafka"
)

// The listeners of the brokers.
const (
	tls       = "TLS"       // whoever comes
	mutual    = "MUTUAL"    // whoever has a certificate
	sasl      = "SASL"      // whoever has a password
	expired   = "EXPIRED"   // its certificate has ended
	elsewhere = "ELSEWHERE" // its certificate is for another host
)

// elsewhereHost is that host.
const elsewhereHost = "kafka.example.org"

// The users with a password from the start. A password is nothing that occurs anywhere else.
const (
	user     = "fintrans"
	password = "Jt9-brass-lantern-04"
	wrong    = "Vw2-paper-anchor-77"
)

// house is a cluster that does not let everybody in, and the keys to it.
type house struct {
	*realkafka.Cluster
	dir    string
	plain  map[string]string       // users that there are from the start, with PLAIN
	ours   *certificates.Authority // of the brokers and of clients
	others *certificates.Authority // nobody trusts it
}

// newHouse starts a cluster with all listeners. More users than the usual one have the same password.
func newHouse(t *testing.T, generation realkafka.Generation, acls bool, more ...string) *house {
	t.Helper()
	h := &house{dir: t.TempDir(), plain: map[string]string{}, ours: authority(t, "fintrans"), others: authority(t, "somebody else")}
	broker := func(name, host string, ends time.Time) certificates.Certificate {
		return issue(t, h.ours, certificates.Subject{Name: name, Hosts: []string{host}, Ends: ends})
	}
	for _, name := range more {
		h.plain[name] = password
	}
	here := broker("broker", "127.0.0.1", time.Time{})
	h.Cluster = real.StartCluster(t, realkafka.Options{Generation: generation, Security: &realkafka.Security{
		Listeners: []realkafka.Listener{
			{Name: tls, Certificate: here},
			{Name: mutual, Certificate: here, Clients: h.ours},
			{Name: sasl, Certificate: here, SASL: true},
			{Name: expired, Certificate: broker("broker", "127.0.0.1", time.Now().Add(-time.Minute))},
			{Name: elsewhere, Certificate: broker("broker", elsewhereHost, time.Time{})},
		},
		Users: map[string]string{user: password},
		Plain: h.plain,
		ACLs:  acls,
	}})
	h.write(t, "ca.pem", h.ours.PEM())
	h.write(t, "other-ca.pem", h.others.PEM())
	return h
}

func authority(t *testing.T, name string) *certificates.Authority {
	t.Helper()
	a, err := certificates.NewAuthority(name)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func issue(t *testing.T, by *certificates.Authority, s certificates.Subject) certificates.Certificate {
	t.Helper()
	c, err := by.Issue(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (h *house) file(name string) string { return filepath.Join(h.dir, name) }

func (h *house) write(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(h.file(name), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// plainly is the access without TLS to a listener, or to the plain one where that has no name.
func (h *house) plainly(listener string) cases.Access {
	addrs := h.Addrs()
	if listener != "" {
		addrs = h.ListenerAddrs(listener)
	}
	return cases.Access{Env: harness.Env{"BROKER": strings.Join(addrs, ",")}}
}

// over is the access with TLS to a listener, or to the plain one where that has no name.
func (h *house) over(listener string) cases.Access {
	a := h.plainly(listener)
	a.Env["KAFKA_TLS"], a.Env["KAFKA_TLS_CA_FILE"] = "true", h.file("ca.pem")
	return a
}

// showing is the access with a client certificate, which it makes.
func (h *house) showing(t *testing.T, by *certificates.Authority, s certificates.Subject) cases.Access {
	t.Helper()
	c := issue(t, by, s)
	key, err := c.KeyPEM()
	if err != nil {
		t.Fatal(err)
	}
	name := strings.ReplaceAll(t.Name(), "/", "-")
	h.write(t, name+".pem", c.PEM())
	h.write(t, name+".key", key)
	a := h.over(mutual)
	a.Env["KAFKA_TLS_CERT_FILE"], a.Env["KAFKA_TLS_KEY_FILE"] = h.file(name+".pem"), h.file(name+".key")
	a.Secrets = strings.Split(strings.TrimSpace(string(key)), "\n")[1:3] // what lies between BEGIN and END
	return a
}

// as is the access of a user with a password.
func (h *house) as(mechanism, user, password string) cases.Access {
	a := h.over(sasl)
	a.Env["KAFKA_SASL_MECHANISM"], a.Env["KAFKA_SASL_USER"], a.Env["KAFKA_SASL_PASSWORD"] = mechanism, user, password
	a.Secrets = []string{password}
	return a
}

// fromFile has the password in a file.
func (h *house) fromFile(t *testing.T, a cases.Access) cases.Access {
	t.Helper()
	h.write(t, "password", []byte(a.Env["KAFKA_SASL_PASSWORD"]+"\n"))
	delete(a.Env, "KAFKA_SASL_PASSWORD")
	a.Env["KAFKA_SASL_PASSWORD_FILE"] = h.file("password")
	return a
}

// without is the access but for one setting.
func without(a cases.Access, name string) cases.Access {
	delete(a.Env, name)
	return a
}

// plus is the access with another value of a setting.
func plus(a cases.Access, name, value string) cases.Access {
	a.Env[name] = value
	return a
}
