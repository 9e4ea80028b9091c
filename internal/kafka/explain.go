package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"github.com/IBM/sarama"
)

// Explain turns an error of talking to a broker into a sentence that says what
// to look at. An error that it does not know it returns as it is. No sentence
// contains a secret.
func Explain(err error, cfg *sarama.Config) string {
	for _, sentence := range []string{
		explainSASL(err, cfg), explainRights(err, cfg), explainCertificate(err), explainTLS(err, cfg), explainNetwork(err, cfg),
	} {
		if sentence != "" {
			return sentence
		}
	}
	return err.Error()
}

func explainSASL(err error, cfg *sarama.Config) string {
	switch {
	case errors.Is(err, sarama.ErrSASLAuthenticationFailed):
		return fmt.Sprintf("the broker refuses the password of user %q (%s)", cfg.Net.SASL.User, cfg.Net.SASL.Mechanism)
	case errors.Is(err, sarama.ErrUnsupportedSASLMechanism):
		return fmt.Sprintf("the broker does not offer KAFKA_SASL_MECHANISM %s", cfg.Net.SASL.Mechanism)
	case errors.Is(err, sarama.ErrIllegalSASLState):
		return "this port of the broker does not ask for SASL: set KAFKA_SASL_MECHANISM=none or use another port"
	}
	return ""
}

func explainRights(err error, cfg *sarama.Config) string {
	for _, right := range []error{
		sarama.ErrTopicAuthorizationFailed, sarama.ErrGroupAuthorizationFailed, sarama.ErrClusterAuthorizationFailed,
	} {
		if errors.Is(err, right) {
			return fmt.Sprintf("the cluster does not allow this to %s: %v", principal(cfg), err)
		}
	}
	return ""
}

// principal is whom the cluster takes us for.
func principal(cfg *sarama.Config) string {
	switch {
	case cfg.Net.SASL.Enable:
		return fmt.Sprintf("user %q", cfg.Net.SASL.User)
	case cfg.Net.TLS.Enable && cfg.Net.TLS.Config != nil && cfg.Net.TLS.Config.GetClientCertificate != nil:
		return "the user of our client certificate (KAFKA_TLS_CERT_FILE)"
	}
	return "clients without a user (KAFKA_SASL_MECHANISM)"
}

// hiding is what may be behind a topic that does not seem to be there: a cluster that asks for rights does not
// show topics to those who have none. It is empty where nobody has asked who we are.
func hiding(cfg *sarama.Config) string {
	if !cfg.Net.SASL.Enable && !cfg.Net.TLS.Enable {
		return ""
	}
	return ", or hidden from " + principal(cfg) + " for want of rights"
}

func explainCertificate(err error) string {
	var (
		invalid   x509.CertificateInvalidError
		host      x509.HostnameError
		authority x509.UnknownAuthorityError
		remote    *net.OpError
	)
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the broker's certificate is expired or not yet valid: " + invalid.Error()
	case errors.As(err, &host):
		return "the broker's certificate is for another host: " + host.Error()
	case errors.As(err, &authority):
		return "the broker's certificate is signed by an unknown authority: does KAFKA_TLS_CA_FILE name the right one?"
	case errors.As(err, &invalid):
		return "the broker's certificate is not valid: " + invalid.Error()
	case errors.As(err, &remote) && remote.Op == "remote error": // as crypto/tls marks an alert of the other side
		return "the broker refuses the TLS connection, perhaps for want of a client certificate that it trusts (KAFKA_TLS_CERT_FILE): " + remote.Error()
	}
	return ""
}

func explainTLS(err error, cfg *sarama.Config) string {
	var (
		plain  tls.RecordHeaderError
		packet sarama.PacketDecodingError
	)
	switch {
	case errors.As(err, &plain):
		return "the broker does not speak TLS on this port: set KAFKA_TLS=false or use another port"
	case !cfg.Net.TLS.Enable && (errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &packet)):
		// An alert of TLS is shorter than the beginning of any answer of Kafka's.
		return "what answers on this port does not speak Kafka's protocol, or speaks it over TLS: set KAFKA_TLS=true or use another port"
	}
	return ""
}

func explainNetwork(err error, cfg *sarama.Config) string {
	var (
		dns     *net.DNSError
		network net.Error
	)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused: is a broker listening there?"
	case errors.As(err, &dns):
		return "the broker's name cannot be resolved: " + dns.Error()
	case errors.As(err, &network) && network.Timeout():
		return "the broker does not answer in time"
	case !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET):
		return ""
	case cfg.Net.TLS.Enable && !cfg.Net.SASL.Enable:
		return "the broker closes the connection: does it speak TLS on this port, and does it want a client certificate (KAFKA_TLS_CERT_FILE) or a user (KAFKA_SASL_MECHANISM)?"
	case cfg.Net.TLS.Enable:
		return "the broker closes the connection: does it speak TLS on this port, and does it want a client certificate (KAFKA_TLS_CERT_FILE)?"
	default:
		return "the broker closes the connection: does it want TLS (KAFKA_TLS) or a user (KAFKA_SASL_MECHANISM) on this port?"
	}
}
