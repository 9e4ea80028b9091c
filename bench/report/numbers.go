package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"fintrans/bench/stats"
)

// Count writes a number that is only known roughly: to three digits, with k and M.
func Count(n float64) string {
	switch {
	case n >= 999_500:
		return significant(n/1e6) + " M"
	case n >= 9_995:
		return significant(n/1e3) + " k"
	}
	return significant(n)
}

// significant writes at least three digits of a number, and all of those before the point.
func significant(n float64) string {
	switch {
	case n >= 99.95:
		return strconv.FormatFloat(n, 'f', 0, 64)
	case n >= 9.995:
		return strconv.FormatFloat(n, 'f', 1, 64)
	case n >= 0.9995:
		return strconv.FormatFloat(n, 'f', 2, 64)
	}
	return strconv.FormatFloat(n, 'f', 3, 64)
}

// Ratio writes a quotient.
func Ratio(n float64) string { return significant(n) }

// Megabytes writes a number of bytes in MB of 10^6.
func Megabytes(bytes float64) string { return significant(bytes / 1e6) }

// Millis writes a duration in milliseconds.
func Millis(d time.Duration) string { return significant(float64(d) / float64(time.Millisecond)) }

// Range writes a spread as the median with the smallest and the largest behind it.
func Range(values []float64, write func(float64) string) string {
	if len(values) == 0 {
		return "-"
	}
	s := stats.Of(values)
	if len(values) == 1 {
		return write(s.Median)
	}
	return fmt.Sprintf("%s (%s to %s)", write(s.Median), write(s.Min), write(s.Max))
}

// Each writes the median with the values of all rounds behind it.
func Each(values []float64, write func(float64) string) string {
	if len(values) == 0 {
		return "-"
	}
	if len(values) == 1 {
		return write(values[0])
	}
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = write(v)
	}
	return fmt.Sprintf("%s (%s)", write(stats.Of(values).Median), strings.Join(all, ", "))
}
