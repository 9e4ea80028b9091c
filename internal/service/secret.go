package service

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

const (
	secretMask = "********"
	// secretLimit is more than any password, token or chain of certificates needs.
	secretLimit = 1 << 20
)

// Secret is a password or the like. A field for X is set by the variable X or by a file that the variable
// X_FILE or the flag --x-file names; there is no flag --x, because process lists show flags. Every way of
// printing a Secret masks it.
type Secret struct {
	// A pointer: fmt cannot call methods of an unexported field, and would print a string.
	value *string
}

// NewSecret makes a Secret of value.
func NewSecret(value string) Secret { return Secret{&value} }

// Reveal is the secret itself: only for the call that needs it.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsSet tells whether there is a secret.
func (s Secret) IsSet() bool { return s.Reveal() != "" }

// String masks the secret; one that is not set is empty.
func (s Secret) String() string {
	if !s.IsSet() {
		return ""
	}
	return secretMask
}

// GoString masks the secret.
func (s Secret) GoString() string { return s.String() }

// Format masks the secret, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText masks the secret.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes the secret as it is.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = NewSecret(string(text))
	return nil
}

func (s *setting) fileFlag() string { return s.flag + "-file" }

// resolveSecret sets the field from the variable or from a file.
func (s *setting) resolveSecret(environ func(string) (string, bool)) error {
	value := lookup(environ, s.variable())
	from, path := "--"+s.fileFlag(), s.text
	if !s.given {
		from = variableName(s.fileFlag())
		path = lookup(environ, from)
		if path == "" {
			return s.decode(s.variable(), value)
		}
	}
	if value != "" {
		return fmt.Errorf("%s: %s but %s is set too; expected one of them", from, quote(path), s.variable())
	}
	secret, err := readSecret(path)
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	return s.decode(from, secret)
}

// readSecret is the file's content without the newline at its end.
func readSecret(path string) (string, error) {
	const expected = "a file that holds the secret"
	file, err := os.Open(path)
	if err != nil {
		return "", invalid(path, "cannot be read ("+reason(err)+")", expected)
	}
	defer func() { _ = file.Close() }()
	content, err := io.ReadAll(io.LimitReader(file, secretLimit+1))
	if err != nil {
		return "", invalid(path, "cannot be read ("+reason(err)+")", expected)
	}
	secret := strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r")
	switch {
	case len(content) > secretLimit:
		return "", invalid(path, "is too large for a secret", expected)
	case secret == "":
		return "", invalid(path, "is empty", expected)
	}
	return secret, nil
}

// reason is err without the path, which the line names already.
func reason(err error) string {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err.Error()
	}
	return err.Error()
}
