package score

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Recall is the share of the planted rings that were detected; 1 where none was planted.
func (s Score) Recall() float64 { return share(s.Detected, s.Planted) }

// Precision is the share of the alerts that a ring explains; 1 where there was no alert.
func (s Score) Precision() float64 { return share(s.Alerts-len(s.Unexplained), s.Alerts) }

func share(part, all int) float64 {
	if all == 0 {
		return 1
	}
	return float64(part) / float64(all)
}

// Latency is the time that so large a share of the alerts of rings took at most; 0 where there were none.
func (s Score) Latency(quantile float64) time.Duration {
	if len(s.Latencies) == 0 {
		return 0
	}
	rank := int(math.Ceil(quantile * float64(len(s.Latencies))))
	return s.Latencies[max(rank, 1)-1]
}

// Lines is the score in words.
func (s Score) Lines() []string {
	lines := []string{
		fmt.Sprintf("rings planted: %d, detected: %d; recall %s", s.Planted, s.Detected, percent(s.Detected, s.Planted)),
		fmt.Sprintf("alerts: %d, of which no ring explains: %d; precision %s", s.Alerts, len(s.Unexplained), percent(s.Alerts-len(s.Unexplained), s.Alerts)),
	}
	if n := len(s.Latencies); n > 0 {
		lines = append(lines, fmt.Sprintf("from the time of the transaction that crosses the threshold to the alert: median %s, p99 %s, of %d",
			round(s.Latency(0.5)), round(s.Latency(0.99)), n))
	}
	if s.Partial > 0 {
		lines = append(lines, fmt.Sprintf("rings that were not complete within one window and over the threshold, and so are not asked for: %d", s.Partial))
	}
	if s.Repeated > 0 {
		lines = append(lines, fmt.Sprintf("alerts that came again, as they may after a kill: %d", s.Repeated))
	}
	const most = 10 // they say enough
	for _, a := range s.Unexplained[:min(most, len(s.Unexplained))] {
		why := "chance: without a ring, and really over the threshold"
		if a.Wrong {
			why = "wrong: the pair was never so far over the threshold"
		}
		lines = append(lines, fmt.Sprintf("no ring explains %v (%s)", a.Alert.Alert, why))
	}
	return lines
}

// Complaints names the rings that were missed, one line each.
func (s Score) Complaints() []string {
	var lines []string
	for _, ring := range s.Missed {
		lines = append(lines, fmt.Sprintf("a ring was missed: %d transfers %v totalling %d, from %s to %s", ring.Found, ring.Pair, ring.Sum,
			clock(ring.First), clock(ring.Last)))
	}
	return lines
}

func clock(millis int64) string { return time.UnixMilli(millis).Format("15:04:05.000") }

// percent is rounded down: 100 % is all.
func percent(part, all int) string {
	if all == 0 {
		return "-"
	}
	return fmt.Sprintf("%g %%", math.Floor(1000*float64(part)/float64(all))/10)
}

// round leaves what a reader can make use of.
func round(d time.Duration) time.Duration {
	units := []time.Duration{time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond}
	limits := []time.Duration{time.Second, 10 * time.Second, math.MaxInt64}
	i := slices.IndexFunc(limits, func(limit time.Duration) bool { return d < limit })
	return d.Round(units[max(i, 0)])
}
