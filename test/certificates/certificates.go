// Package certificates makes the certificates that tests need: of authorities, servers and clients.
package certificates

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

// Authority signs certificates.
type Authority struct{ Certificate }

// Certificate is a certificate with its key.
type Certificate struct {
	parsed *x509.Certificate
	key    *ecdsa.PrivateKey
	chain  []*x509.Certificate // of who signed it
}

// Subject is what a certificate says of who has it.
type Subject struct {
	Name  string   // the common name
	Hosts []string // names and addresses of a server
	Ends  time.Time
}

// NewAuthority returns an authority that nobody has signed, good for a day.
func NewAuthority(name string) (*Authority, error) {
	template, err := template(Subject{Name: name})
	if err != nil {
		return nil, err
	}
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign
	made, err := sign(template, nil)
	if err != nil {
		return nil, fmt.Errorf("authority %s: %w", name, err)
	}
	return &Authority{made}, nil
}

// Issue signs a certificate for a server or a client. It is good for a day, unless the subject has another end.
func (a *Authority) Issue(s Subject) (Certificate, error) {
	template, err := template(s)
	if err != nil {
		return Certificate{}, err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	made, err := sign(template, &a.Certificate)
	if err != nil {
		return Certificate{}, fmt.Errorf("certificate of %s: %w", s.Name, err)
	}
	return made, nil
}

func template(s Subject) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	t := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: s.Name},
		NotBefore: now.Add(-2 * time.Hour), NotAfter: s.Ends,
	}
	if s.Ends.IsZero() {
		t.NotAfter = now.Add(24 * time.Hour)
	}
	for _, host := range s.Hosts {
		if ip := net.ParseIP(host); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, host)
		}
	}
	return t, nil
}

// sign makes a key and its certificate, signed by the authority, or by itself where there is none.
func sign(template *x509.Certificate, by *Certificate) (Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Certificate{}, err
	}
	parent, signer := template, key
	var chain []*x509.Certificate
	if by != nil {
		parent, signer, chain = by.parsed, by.key, []*x509.Certificate{by.parsed}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return Certificate{}, err
	}
	parsed, err := x509.ParseCertificate(der)
	return Certificate{parsed: parsed, key: key, chain: chain}, err
}

// PEM is the certificate.
func (c Certificate) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.parsed.Raw})
}

// KeyPEM is its key.
func (c Certificate) KeyPEM() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(c.key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// WriteKeyStore writes certificate and key as PKCS #12, which every Java reads.
func (c Certificate) WriteKeyStore(path, password string) error {
	store, err := pkcs12.Modern.Encode(c.key, c.parsed, c.chain, password)
	if err != nil {
		return err
	}
	return os.WriteFile(path, store, 0o600)
}

// WriteTrustStore writes the authority's certificate as PKCS #12, which every Java reads.
func (a *Authority) WriteTrustStore(path, password string) error {
	store, err := pkcs12.Modern.EncodeTrustStore([]*x509.Certificate{a.parsed}, password)
	if err != nil {
		return err
	}
	return os.WriteFile(path, store, 0o600)
}
