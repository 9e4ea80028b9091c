package service

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Seconds is a time in decimal seconds, exact to the nanosecond and never negative.
type Seconds time.Duration

// Duration is the value as a time.Duration.
func (s Seconds) Duration() time.Duration { return time.Duration(s) }

// UnmarshalText accepts decimal seconds such as 2, 0.05 or 0.
func (s *Seconds) UnmarshalText(text []byte) error {
	const expected = "seconds, e.g. 2, 0.05 or 0"
	whole, fraction, hasPoint := strings.Cut(string(text), ".")
	switch {
	case strings.HasPrefix(whole, "-") && isDigits(whole[1:]) && isDigits(fraction):
		return invalid(string(text), "is negative", expected)
	case whole == "" || !isDigits(whole) || !isDigits(fraction) || hasPoint && fraction == "":
		return invalid(string(text), "is not a number of seconds", expected)
	}
	fraction = strings.TrimRight(fraction, "0")
	if len(fraction) > 9 {
		return invalid(string(text), "is finer than a nanosecond", expected)
	}
	nanos, err := strconv.ParseInt(whole+(fraction + "000000000")[:9], 10, 64)
	if err != nil {
		return invalid(string(text), "is too long", "at most "+Seconds(math.MaxInt64).String()+" seconds")
	}
	*s = Seconds(nanos)
	return nil
}

// String gives the seconds in the form that UnmarshalText reads.
func (s Seconds) String() string {
	whole := strconv.FormatInt(int64(s)/1e9, 10)
	fraction := strings.TrimRight(strconv.FormatInt(1e9+int64(s)%1e9, 10)[1:], "0")
	if fraction == "" {
		return whole
	}
	return whole + "." + fraction
}

func isDigits(text string) bool {
	return strings.Trim(text, "0123456789") == ""
}

// Duration is a time in Go's notation, in whole milliseconds and never negative.
type Duration time.Duration

// Duration is the value as a time.Duration.
func (d Duration) Duration() time.Duration { return time.Duration(d) }

// Milliseconds is the value in milliseconds; it is exact.
func (d Duration) Milliseconds() int64 { return time.Duration(d).Milliseconds() }

// UnmarshalText accepts a Go duration such as 90s, 10m or 1h, or 0.
func (d *Duration) UnmarshalText(text []byte) error {
	const expected = "a Go duration like 90s, 10m or 1h, or 0"
	duration, err := time.ParseDuration(string(text))
	switch {
	case err != nil:
		return invalid(string(text), "is not a duration", expected)
	case duration < 0:
		return invalid(string(text), "is negative", expected)
	case duration%time.Millisecond != 0:
		return invalid(string(text), "is finer than a millisecond", expected)
	}
	*d = Duration(duration)
	return nil
}

// String gives the duration in Go's notation without units that are zero: 1h, not 1h0m0s.
func (d Duration) String() string {
	if d == 0 {
		return "0"
	}
	text := time.Duration(d).String()
	if short, ok := strings.CutSuffix(text, "m0s"); ok {
		text = short + "m"
	}
	if short, ok := strings.CutSuffix(text, "h0m"); ok {
		text = short + "h"
	}
	return text
}
