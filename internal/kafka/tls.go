package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"github.com/IBM/sarama"
)

func (s Settings) configureTLS(cfg *sarama.Config) error {
	if !bool(s.KafkaTLS) {
		for _, unused := range []struct{ name, value string }{
			{"KAFKA_TLS_CA_FILE", s.KafkaTLSCAFile},
			{"KAFKA_TLS_CERT_FILE", s.KafkaTLSCertFile},
			{"KAFKA_TLS_KEY_FILE", s.KafkaTLSKeyFile},
			{"KAFKA_TLS_SERVER_NAME", s.KafkaTLSServerName},
		} {
			if unused.value != "" {
				return fmt.Errorf("%s %q is set but KAFKA_TLS is false: expected KAFKA_TLS=true", unused.name, unused.value)
			}
		}
		return nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: s.KafkaTLSServerName}
	var err error
	if config.RootCAs, err = authorities(s.KafkaTLSCAFile); err != nil {
		return err
	}
	if config.GetClientCertificate, err = clientCertificate(s.KafkaTLSCertFile, s.KafkaTLSKeyFile); err != nil {
		return err
	}
	cfg.Net.TLS.Enable, cfg.Net.TLS.Config = true, config
	return nil
}

// authorities reads the certificates in file; nil, which means the system's,
// when there is no file.
func authorities(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("KAFKA_TLS_CA_FILE cannot be read: %w; expected a file with certificates in PEM format", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("KAFKA_TLS_CA_FILE %q: expected at least one certificate in PEM format", file)
	}
	return pool, nil
}

// clientCertificate returns what tls.Config wants in order to show a client
// certificate, nil when there is none. The files are read again for every
// connection, so that a renewed certificate needs no restart.
func clientCertificate(certFile, keyFile string) (func(*tls.CertificateRequestInfo) (*tls.Certificate, error), error) {
	switch {
	case certFile == "" && keyFile == "":
		return nil, nil
	case keyFile == "":
		return nil, fmt.Errorf("KAFKA_TLS_CERT_FILE %q is set but KAFKA_TLS_KEY_FILE is empty: expected both or neither", certFile)
	case certFile == "":
		return nil, fmt.Errorf("KAFKA_TLS_KEY_FILE %q is set but KAFKA_TLS_CERT_FILE is empty: expected both or neither", keyFile)
	}
	load := func() (*tls.Certificate, error) {
		certificate, err := tls.LoadX509KeyPair(certFile, keyFile)
		if err != nil {
			return nil, fmt.Errorf("KAFKA_TLS_CERT_FILE %q with KAFKA_TLS_KEY_FILE %q: expected a certificate and its key in PEM format: %w",
				certFile, keyFile, err)
		}
		return &certificate, nil
	}
	if _, err := load(); err != nil {
		return nil, err
	}
	return func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return load() }, nil
}
