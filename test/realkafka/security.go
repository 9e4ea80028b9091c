package realkafka

import (
	"context"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"fintrans/test/certificates"
)

// Security is what a cluster has beside its plain listener, over which whoever comes may do everything.
type Security struct {
	Listeners []Listener
	// Users are the passwords for SASL, by user: for PLAIN and both kinds of SCRAM.
	Users map[string]string
	// Plain are users with a password for PLAIN alone: on old brokers those for SCRAM take seconds each.
	Plain map[string]string
	// ACLs has the cluster ask for rights.
	ACLs bool
}

// Listener is a port of each broker that clients use over TLS.
type Listener struct {
	Name        string // in capitals
	Certificate certificates.Certificate
	// Clients is the authority that signs the certificates of clients; nil where they need none.
	Clients *certificates.Authority
	// SASL asks for a user and a password.
	SASL bool
}

// mechanisms are those of each listener with SASL.
var mechanisms = []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}

// storePassword is that of the brokers' own files.
const storePassword = "of the brokers' files"

// secure adds the listeners to the properties of the broker, and writes the files that they name.
func (b *broker) secure(s *Security, p properties) error {
	if s == nil {
		return nil
	}
	protocols := []string{"PLAINTEXT:PLAINTEXT", "CONTROLLER:PLAINTEXT"}
	for i, l := range s.Listeners {
		p["listeners"] += fmt.Sprintf(",%s://127.0.0.1:%d", l.Name, b.secured[i])
		protocol := "SSL"
		if l.SASL {
			protocol = "SASL_SSL"
		}
		protocols = append(protocols, l.Name+":"+protocol)
		if err := b.addListener(l, s, p); err != nil {
			return fmt.Errorf("listener %s of %s: %w", l.Name, b.name(), err)
		}
	}
	p["listener.security.protocol.map"] = strings.Join(protocols, ",")
	if s.ACLs {
		p["authorizer.class.name"] = b.generation.authorizer
		p["super.users"] = "User:ANONYMOUS" // whoever comes by the plain listener, the brokers among them
	}
	return nil
}

func (b *broker) addListener(l Listener, s *Security, p properties) error {
	prefix := "listener.name." + strings.ToLower(l.Name) + "."
	keys := filepath.Join(b.dir, l.Name+".keys")
	if err := l.Certificate.WriteKeyStore(keys, storePassword); err != nil {
		return err
	}
	p[prefix+"ssl.keystore.type"] = "PKCS12"
	p[prefix+"ssl.keystore.location"] = keys
	p[prefix+"ssl.keystore.password"] = storePassword
	p[prefix+"ssl.key.password"] = storePassword
	if l.Clients != nil {
		trusted := filepath.Join(b.dir, l.Name+".trusted")
		if err := l.Clients.WriteTrustStore(trusted, storePassword); err != nil {
			return err
		}
		p[prefix+"ssl.truststore.type"] = "PKCS12"
		p[prefix+"ssl.truststore.location"] = trusted
		p[prefix+"ssl.truststore.password"] = storePassword
		p[prefix+"ssl.client.auth"] = "required"
	}
	if l.SASL {
		p[prefix+"sasl.enabled.mechanisms"] = strings.Join(mechanisms, ",")
		plain := "org.apache.kafka.common.security.plain.PlainLoginModule required"
		users := maps.Clone(s.Users)
		maps.Copy(users, s.Plain)
		for _, user := range slices.Sorted(maps.Keys(users)) {
			plain += fmt.Sprintf(" user_%s=%q", user, users[user])
		}
		p[prefix+"plain.sasl.jaas.config"] = plain + ";"
		for _, scram := range mechanisms[1:] {
			p[prefix+strings.ToLower(scram)+".sasl.jaas.config"] = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
		}
	}
	return nil
}

// scramOfFormat are the arguments with which the storage of a broker is formatted so that it knows the users.
func (s *Security) scramOfFormat() []string {
	if s == nil {
		return nil
	}
	var args []string
	for _, user := range slices.Sorted(maps.Keys(s.Users)) {
		for _, mechanism := range mechanisms[1:] {
			args = append(args, "--add-scram", fmt.Sprintf("%s=[name=%s,password=%s]", mechanism, user, s.Users[user]))
		}
	}
	return args
}

// addUsers tells ZooKeeper of the users for SCRAM, where the brokers keep them there.
func (z *zooKeeper) addUsers(ctx context.Context, s *Security) error {
	if s == nil {
		return nil
	}
	for _, user := range slices.Sorted(maps.Keys(s.Users)) {
		var passwords []string
		for _, mechanism := range mechanisms[1:] {
			passwords = append(passwords, fmt.Sprintf("%s=[password=%s]", mechanism, s.Users[user]))
		}
		args := z.command(z.dir, "kafka.admin.ConfigCommand", "--zookeeper", z.addr(), "--alter",
			"--add-config", strings.Join(passwords, ","), "--entity-type", "users", "--entity-name", user)
		if output, err := exec.CommandContext(ctx, z.java, args...).CombinedOutput(); err != nil {
			return fmt.Errorf("add user %s: %w\n%s", user, err, output)
		}
	}
	return nil
}

// ListenerAddrs returns host:port of a listener of each broker; nothing where there is none of this name.
func (c *Cluster) ListenerAddrs(name string) []string {
	var addrs []string
	for _, b := range c.brokers {
		for i, l := range c.security.listeners() {
			if l.Name == name {
				addrs = append(addrs, "127.0.0.1:"+strconv.Itoa(b.secured[i]))
			}
		}
	}
	return addrs
}

func (s *Security) listeners() []Listener {
	if s == nil {
		return nil
	}
	return s.Listeners
}
