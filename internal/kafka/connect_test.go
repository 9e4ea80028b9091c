package kafka

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"

	"fintrans/internal/service"
)

// unusedAddress returns an address on which nothing listens. Its port is none of those that a system gives out by
// itself: another test's server could have got one of these by the time that something listens here.
func unusedAddress(t *testing.T) string {
	t.Helper()
	const first, last = 20_000, 32_000
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", first+mathrand.IntN(last-first))
		listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", address)
		if err == nil {
			_ = listener.Close()
			return address
		}
	}
	t.Fatalf("no port from %d to %d is free", first, last)
	return ""
}

func TestConnectWaitsForTheBroker(t *testing.T) {
	t.Parallel()
	addr := unusedAddress(t)
	s := settingsFor(addr)
	log, lines := newLog()
	var alive ticks
	connected := make(chan sarama.Client, 1)
	go func() {
		client, err := Connect(t.Context(), s, configFor(t, s), log, alive.tick)
		if err != nil {
			t.Errorf("Connect: %v", err)
		}
		connected <- client
	}()
	waitFor(t, "several attempts", func() bool { return alive.n.Load() >= 4 })
	newBroker(t, addr, nil, nil)
	client := <-connected
	if client == nil {
		return
	}
	defer func() { _ = client.Close() }()
	if got := lines.count("connection refused"); got != 1 {
		t.Errorf("got %d lines of refusal, want 1:\n%s", got, lines)
	}
	if lines.count("Kafka is reached") != 1 {
		t.Errorf("the end of the trouble is not logged:\n%s", lines)
	}
}

func TestConnectEndsWithItsContext(t *testing.T) {
	t.Parallel()
	listener := listen(t) // accepts and never answers
	ctx, cancel := context.WithCancel(t.Context())
	s := settingsFor(listener.Addr().String())
	log, _ := newLog()
	done := make(chan error, 1)
	go func() {
		_, err := Connect(ctx, s, configFor(t, s), log, noTick)
		done <- err
	}()
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v", err)
	}
	_ = conn.Close() // lets the abandoned attempt end
	_ = listener.Close()
}

// complaintOf connects to addr until the first complaint, and returns the log.
func complaintOf(t *testing.T, s Settings) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	log, lines := newLog()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if client, err := Connect(ctx, s, configFor(t, s), log, noTick); err == nil {
			_ = client.Close()
		}
	}()
	waitFor(t, "a complaint", func() bool { return lines.count("cannot be reached") > 0 })
	cancel()
	<-done
	return lines.String()
}

func TestConnectSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	good := ca.issue(t, "127.0.0.1", time.Now().Add(time.Hour))
	expired := ca.issue(t, "127.0.0.1", time.Now().Add(-time.Minute))
	elsewhere := ca.issue(t, "10.0.0.1", time.Now().Add(time.Hour))
	other := newAuthority(t)
	for _, test := range []struct {
		name   string
		server func(t *testing.T) string // returns its address
		change func(*Settings)
		want   string
	}{
		{"refused", unusedAddress, func(*Settings) {}, "connection refused"},
		{"a name that does not exist", func(*testing.T) string { return "kafka.invalid:9092" }, func(*Settings) {}, "cannot be resolved"},
		{"TLS to a port without", greeter, func(s *Settings) { s.KafkaTLS = true }, "does not speak TLS"},
		{"no TLS to a port with", alerter, func(*Settings) {}, "speaks it over TLS"},
		{"no TLS to a port that hangs up", tlsServer(good, nil), func(*Settings) {}, "does it want TLS"},
		{"no Kafka", greeter, func(*Settings) {}, "does not speak Kafka's protocol"},
		{"closed at once", closer, func(*Settings) {}, "does it want TLS (KAFKA_TLS) or a user"},
		{"closed at once under TLS", closer, func(s *Settings) { s.KafkaTLS = true }, "does it speak TLS on this port"},
		{"closed for want of a user", closer, func(s *Settings) { s.KafkaTLS = true }, "(KAFKA_TLS_CERT_FILE) or a user (KAFKA_SASL_MECHANISM)?"},
		{"expired certificate", tlsServer(expired, nil), ca.trust, "expired"},
		{"certificate of another host", tlsServer(elsewhere, nil), ca.trust, "for another host"},
		{"unknown authority", tlsServer(good, nil), other.trust, "unknown authority"},
		{"client certificate wanted", tlsServer(good, ca), ca.trust, "client certificate"},
		{"wrong password", saslBroker(sarama.ErrSASLAuthenticationFailed), withPassword, `refuses the password of user "alice"`},
		{"mechanism not offered", saslBroker(sarama.ErrUnsupportedSASLMechanism), withPassword, "does not offer KAFKA_SASL_MECHANISM PLAIN"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := settingsFor(test.server(t))
			test.change(&s)
			got := complaintOf(t, s)
			if !strings.Contains(got, test.want) || strings.Contains(got, password) {
				t.Errorf("got %q, want %q and no password", got, test.want)
			}
		})
	}
}

func withPassword(s *Settings) {
	s.KafkaSASLMechanism, s.KafkaSASLUser, s.KafkaSASLPassword = "PLAIN", "alice", service.NewSecret(password)
}

func saslBroker(err sarama.KError) func(*testing.T) string {
	return func(t *testing.T) string {
		handshake := sarama.NewMockSaslHandshakeResponse(t).SetEnabledMechanisms([]string{"PLAIN"})
		if err == sarama.ErrUnsupportedSASLMechanism {
			handshake.SetError(err)
		}
		return newBroker(t, "127.0.0.1:0", nil, handlers{
			"SaslHandshakeRequest":    handshake,
			"SaslAuthenticateRequest": sarama.NewMockSaslAuthenticateResponse(t).SetError(err),
		}).Addr()
	}
}

// serve answers every connection to the listener with handle.
func serve(t *testing.T, listener net.Listener, handle func(net.Conn)) string {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			handle(conn)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-done })
	return listener.Addr().String()
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// greeter is a server of another protocol, without TLS.
func greeter(t *testing.T) string {
	return serve(t, listen(t), func(conn net.Conn) {
		_, _ = conn.Write([]byte("220 mail.example.org at your service\r\n"))
		_, _ = conn.Read(make([]byte, 1024))
	})
}

// alerter answers as Java's TLS does to what is none: with an alert, in plain text.
func alerter(t *testing.T) string {
	return serve(t, listen(t), func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 4096))
		_, _ = conn.Write([]byte{21, 3, 3, 0, 2, 2, 80})
	})
}

// closer hangs up as soon as it has heard something.
func closer(t *testing.T) string {
	return serve(t, listen(t), func(conn net.Conn) { _, _ = conn.Read(make([]byte, 4096)) })
}

// tlsServer does the handshake and then hangs up. It asks for a client
// certificate when there is an authority to have signed it.
func tlsServer(certificate tls.Certificate, clients *authority) func(*testing.T) string {
	return func(t *testing.T) string {
		config := &tls.Config{Certificates: []tls.Certificate{certificate}}
		if clients != nil {
			config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
			config.ClientCAs.AddCert(clients.certificate)
		}
		return serve(t, tls.NewListener(listen(t), config), func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	}
}

// authority signs certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	file        string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return &authority{certificate: certificate, key: key, file: file}
}

// issue signs a certificate for a host.
func (a *authority) issue(t *testing.T, host string, until time.Time) tls.Certificate {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), IPAddresses: []net.IP{net.ParseIP(host)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: until,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func (a *authority) trust(s *Settings) { s.KafkaTLS, s.KafkaTLSCAFile = true, a.file }

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestRightsAreExplained(t *testing.T) {
	t.Parallel()
	plain := Settings{Broker: service.Addresses{"127.0.0.1:1"}}
	withUser, withTLS := plain, plain
	withPassword(&withUser)
	withTLS.KafkaTLS = true
	certified := configFor(t, withTLS)
	certified.Net.TLS.Config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return nil, nil }
	for _, test := range []struct {
		cfg       *sarama.Config
		principal string
		hidden    string
	}{
		{configFor(t, plain), "clients without a user (KAFKA_SASL_MECHANISM)", ""},
		{configFor(t, withUser), `user "alice"`, `, or hidden from user "alice" for want of rights`},
		{configFor(t, withTLS), "clients without a user (KAFKA_SASL_MECHANISM)", ", or hidden from clients without a user (KAFKA_SASL_MECHANISM) for want of rights"},
		{certified, "the user of our client certificate (KAFKA_TLS_CERT_FILE)", ", or hidden from the user of our client certificate (KAFKA_TLS_CERT_FILE) for want of rights"},
	} {
		for _, err := range []error{sarama.ErrTopicAuthorizationFailed, sarama.ErrGroupAuthorizationFailed, sarama.ErrClusterAuthorizationFailed} {
			got := Explain(fmt.Errorf("create topic NYC: %w", err), test.cfg)
			if want := "the cluster does not allow this to " + test.principal + ": create topic NYC: "; !strings.HasPrefix(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		if got := hiding(test.cfg); got != test.hidden {
			t.Errorf("got %q, want %q", got, test.hidden)
		}
	}
}
