package service

import (
	"fmt"
	"math"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sirupsen/logrus"
)

// Settings have these types, those of values_time.go, Secret, or a plain string. The tags of a field are help,
// default, name (of the flag, where the field's own will not do), placeholder, enum (for Choice: a,b,c), and min
// and max (inclusive, written as the values are: for Count, Number, Bytes, Seconds and Duration).
//
// All UnmarshalText methods return errors that name the value and what was expected, and take any input.

// quoteLimit bounds how much of a value an error repeats.
const quoteLimit = 100

// invalid is the error about a value: what is wrong with it and what was expected.
func invalid(text, problem, expected string) error {
	return fmt.Errorf("%s %s; expected %s", quote(text), problem, expected)
}

// secretMarks are what a user and password may stand before, and a query or a fragment behind.
const secretMarks = "@?#"

// quote shows a value on one line, without the user and password that may stand before an @, and what may be one in a
// query or a fragment.
func quote(text string) string {
	at, end := strings.LastIndexByte(text, '@'), strings.IndexAny(text, "?#")
	switch {
	case end < 0:
	case at > end: // whatever that is: a password may have any of them in it
		at, text = -1, secretMask
	default:
		text = text[:end+1] + secretMask
	}
	if at >= 0 {
		text = secretMask + text[at:]
	}
	if len(text) > quoteLimit {
		text = strings.ToValidUTF8(text[:quoteLimit], "") + "..."
	}
	return strconv.Quote(text)
}

// oneLine makes sure that an error is one line.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return ' '
		}
		return r
	}, text)
}

// Addresses is a list of host:port, separated by commas.
type Addresses []string

// UnmarshalText accepts at least one host:port, each with a port from 1 to 65535; spaces around them are trimmed.
func (a *Addresses) UnmarshalText(text []byte) error {
	const expected = "host:port, or several separated by commas"
	var list Addresses
	for part := range strings.SplitSeq(string(text), ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			return invalid(string(text), "has an empty address", expected)
		}
		host, port, err := splitAddress(part)
		if err != nil || host == "" || port == 0 {
			if strings.ContainsAny(string(text), secretMarks) {
				part = string(text) // a part of a secret has no mark
			}
			return invalid(part, "is not an address", expected)
		}
		list = append(list, net.JoinHostPort(host, strconv.Itoa(port)))
	}
	*a = list
	return nil
}

// String gives the list in the form that UnmarshalText reads.
func (a Addresses) String() string { return strings.Join(a, ",") }

// Listen is an address to listen on: host:port, where an empty host is every interface and port 0 any free port.
type Listen string

// UnmarshalText accepts host:port with a port from 0 to 65535.
func (l *Listen) UnmarshalText(text []byte) error {
	host, port, err := splitAddress(strings.TrimSpace(string(text)))
	if err != nil {
		return invalid(string(text), "is not an address to listen on", "host:port or :port, e.g. 127.0.0.1:8080 or :0")
	}
	*l = Listen(net.JoinHostPort(host, strconv.Itoa(port)))
	return nil
}

// splitAddress splits host:port; the host may be empty and the port 0.
func splitAddress(text string) (host string, port int, err error) {
	host, digits, err := net.SplitHostPort(text)
	if err != nil {
		return "", 0, err
	}
	if host != "" && !validHost(host) {
		return "", 0, fmt.Errorf("%q is not a host", host)
	}
	number, err := strconv.ParseUint(digits, 10, 16)
	if err != nil {
		return "", 0, err
	}
	return host, int(number), nil
}

// validHost accepts IP addresses (IPv6 without brackets) and host names.
func validHost(host string) bool {
	if strings.Contains(host, ":") {
		address, err := netip.ParseAddr(host)
		return err == nil && isHostText(address.Zone())
	}
	return host != "" && isHostText(host)
}

func isHostText(text string) bool {
	for _, c := range []byte(text) {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '-' || c == '_') {
			return false
		}
	}
	return true
}

// URL is the base of an HTTP API: http or https, without user, query and fragment, and without a slash at the end.
type URL string

// UnmarshalText accepts an absolute http or https URL. A user and password in it are refused: the URL is
// logged, and they have settings of their own.
func (u *URL) UnmarshalText(text []byte) error {
	const expected = "http://host:port or https://host:port"
	raw := string(text)
	parsed, err := url.Parse(strings.TrimSpace(raw))
	if err != nil {
		return invalid(raw, "is not a URL", expected)
	}
	switch {
	case parsed.User != nil:
		return invalid(raw, "has a user in it", expected+", with user and password in settings of their own")
	case parsed.Scheme != "http" && parsed.Scheme != "https":
		return invalid(raw, "is not an http URL", expected)
	case !validHost(parsed.Hostname()) || !validPort(parsed.Host, parsed.Port()):
		return invalid(raw, "has no valid host and port", expected)
	case strings.ContainsAny(raw, "?#"):
		return invalid(raw, "has a query or a fragment", expected)
	}
	*u = URL(strings.TrimRight(parsed.String(), "/"))
	return nil
}

// validPort accepts no port, or one from 1 to 65535.
func validPort(hostport, port string) bool {
	if port == "" {
		return !strings.HasSuffix(hostport, ":")
	}
	number, err := strconv.ParseUint(port, 10, 16)
	return err == nil && number > 0
}

// Count is a whole number that is not negative.
type Count uint64

// UnmarshalText accepts decimal digits.
func (c *Count) UnmarshalText(text []byte) error {
	number, err := strconv.ParseUint(string(text), 10, 64)
	if err != nil {
		return invalid(string(text), "is not a count", "a whole number, 0 or more")
	}
	*c = Count(number)
	return nil
}

// Number is a finite decimal number.
type Number float64

// UnmarshalText accepts a decimal number; NaN, infinities and hexadecimal are refused.
func (n *Number) UnmarshalText(text []byte) error {
	number, err := strconv.ParseFloat(string(text), 64)
	if err != nil || math.IsNaN(number) || math.IsInf(number, 0) || strings.ContainsAny(string(text), "xX_") {
		return invalid(string(text), "is not a number", "a decimal number, e.g. 0.5")
	}
	*n = Number(number)
	return nil
}

// String gives the shortest text that UnmarshalText reads as the same number.
func (n Number) String() string { return strconv.FormatFloat(float64(n), 'g', -1, 64) }

// Bytes is a size in bytes.
type Bytes int64

var byteUnits = []struct {
	name string
	size int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

// UnmarshalText accepts digits with an optional unit: 1048576, 64KiB, 1MiB, 2GiB.
func (b *Bytes) UnmarshalText(text []byte) error {
	digits, size := string(text), int64(1)
	for _, unit := range byteUnits {
		if number, ok := strings.CutSuffix(digits, unit.name); ok {
			digits, size = number, unit.size
			break
		}
	}
	number, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || int64(number) > math.MaxInt64/size {
		return invalid(string(text), "is not a size", "bytes, or a number with a unit like 64KiB, 1MiB or 2GiB")
	}
	*b = Bytes(int64(number) * size)
	return nil
}

// String gives the size in the largest unit in which it is whole.
func (b Bytes) String() string {
	for _, unit := range byteUnits {
		if int64(b) >= unit.size && int64(b)%unit.size == 0 && unit.size > 1 {
			return strconv.FormatInt(int64(b)/unit.size, 10) + unit.name
		}
	}
	return strconv.FormatInt(int64(b), 10)
}

// Bool is true or false; the flag alone, without a value, is true.
type Bool bool

// UnmarshalText accepts true, yes and 1, false, no and 0, in any case.
func (b *Bool) UnmarshalText(text []byte) error {
	switch strings.ToLower(string(text)) {
	case "true", "yes", "1":
		*b = true
	case "false", "no", "0":
		*b = false
	default:
		return invalid(string(text), "is not a boolean", "true or false")
	}
	return nil
}

// Choice is one of the words of the field's enum tag.
type Choice string

// LogLevel is the name of a level.
type LogLevel string

// UnmarshalText accepts error, warning (or warn), info, debug and trace.
func (l *LogLevel) UnmarshalText(text []byte) error {
	level, err := logrus.ParseLevel(string(text))
	if err != nil || level < logrus.ErrorLevel {
		return invalid(string(text), "is not a log level", "error, warning, info, debug or trace")
	}
	*l = LogLevel(level.String())
	return nil
}

// VersionFlag is the type of --version, which has no variable.
type VersionFlag bool
