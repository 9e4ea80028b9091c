package cases

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"fintrans/demo/harness"
	"fintrans/demo/oracle"
)

const (
	megabyte = 1_000_000
	// A service may take this much at full speed, the detector's window apart ...
	mostAtFullSpeed = 96 * megabyte
	// ... and this much at ten transactions a second.
	mostAtRest = 32 * megabyte
)

// byDefault is the rule of a detector that was told nothing else.
var byDefault = oracle.Rule{Threshold: 10_000, Window: time.Hour.Milliseconds()}

// trio are the three services as processes.
type trio struct {
	t                  testing.TB
	s                  *harness.System
	in, det, generator *harness.Process
}

// startTrio starts all three services; the generator makes the topics.
func startTrio(t testing.TB, start harness.Starter, of harness.Env, rules harness.Env) *trio {
	s := harness.NewSystem(t, start, harness.Need{Partitions: harness.NoTopics})
	return &trio{t: t, s: s, in: s.Start(ingest, nil), det: s.Start(detector, rules), generator: s.Start("generator", of)}
}

func (o *trio) services() []*harness.Process { return []*harness.Process{o.in, o.det, o.generator} }

// settle waits until both consumers have dealt with everything, compares what is in InfluxDB with what is in the
// topics, ends the consumers and checks the alerts. It returns the records.
func (o *trio) settle(rule oracle.Rule) []harness.Record {
	o.t.Helper()
	log := o.s.Log(harness.Cities()...)
	o.s.AwaitVolumes(volumes(log))
	o.s.AwaitCommitted(ingest, harness.Cities()...)
	o.s.AwaitCommitted(detector, harness.Cities()...)
	term(o.t, o.in, o.det)
	got := alerts(o.t, o.det)
	report(o.t, rule.Check(got, transfers(log)))
	o.t.Logf("%d transactions, %d alerts", len(log), len(got))
	return log
}

// Million sends a million transactions through all three services as fast as it goes: the sums are exact, and the
// services stay small.
func Million(t testing.TB, start harness.Starter) {
	const number = 1_000_000
	began := time.Now()
	o := startTrio(t, start, harness.Env{"GEN_WAIT_SEC": "0", "GEN_COUNT": fmt.Sprint(number)}, nil)
	window := 0.0
	harness.EventuallyWithin(t, 10*time.Minute, func() (bool, string) {
		bytes, _ := o.det.Metric("laundering_detector_window_bytes", nil)
		window = max(window, bytes)
		judged, _ := o.det.Metric("laundering_detector_records_total", nil)
		return judged >= number, fmt.Sprintf("%v of %d transactions were judged", judged, number)
	})
	if status := o.generator.Wait(); status != 0 {
		t.Fatalf("generator: exit status %d after the last transaction, want 0", status)
	}
	log := o.settle(byDefault)
	t.Logf("%v for all of it", time.Since(began).Round(100*time.Millisecond))
	if len(log) != number {
		t.Errorf("%d transactions in the topics, want %d", len(log), number)
	}
	t.Logf("the detector's window held %.1f MB at most", window/megabyte)
	for _, p := range o.services() {
		own := float64(p.PeakMemory())
		if p == o.det {
			own -= window
		}
		t.Logf("%v: peak %.1f MB resident", p, float64(p.PeakMemory())/megabyte)
		if own > mostAtFullSpeed {
			t.Errorf("%v: %.1f MB resident at full speed, the window apart, want %d at most", p, own/megabyte, mostAtFullSpeed/megabyte)
		}
	}
}

// SmallAtRest runs all three services at ten transactions a second: they take little memory.
func SmallAtRest(t testing.TB, start harness.Starter) {
	o := startTrio(t, start, harness.Env{"GEN_WAIT_SEC": "0.1"}, nil)
	harness.EventuallyWithin(t, 3*harness.Patience, func() (bool, string) {
		judged, _ := o.det.Metric("laundering_detector_records_total", nil)
		return judged >= 600, fmt.Sprintf("%v of 600 transactions were judged", judged)
	})
	for _, p := range o.services() {
		resident, _ := p.Metric("process_resident_memory_bytes", nil)
		t.Logf("%v: %.1f MB resident after 600 transactions", p, resident/megabyte)
		if resident > mostAtRest || resident == 0 {
			t.Errorf("%v: %.1f MB resident at 10 transactions/s, want %d at most", p, resident/megabyte, mostAtRest/megabyte)
		}
	}
	term(t, o.generator)
	o.settle(byDefault)
}

// Soak runs all three services at 2,000 transactions a second for a long time. From the first quarter on, in which
// the window fills, nothing grows: memory, goroutines, lag.
func Soak(length time.Duration) func(testing.TB, harness.Starter) {
	return func(t testing.TB, start harness.Starter) {
		rule := oracle.Rule{Threshold: 10_000, Window: time.Minute.Milliseconds()}
		o := startTrio(t, start, harness.Env{"GEN_WAIT_SEC": "0.0005", "RING_SPREAD": "20s"}, rules(rule, 10*time.Second))
		ends := time.Now().Add(length)
		var samples []sample
		next := time.Now()
		harness.EventuallyWithin(t, length+harness.Patience, func() (bool, string) {
			if now := time.Now(); now.After(next) {
				next = now.Add(length / 80)
				samples = append(samples, o.sample())
			}
			return time.Now().After(ends), "the soak has not ended"
		})
		quarter := len(samples) / 4
		early, late := mean(samples[quarter:2*quarter]), mean(samples[len(samples)-quarter:])
		t.Logf("second quarter: %v", early)
		t.Logf("last quarter:   %v", late)
		if grown := late.grownFrom(early); grown != "" {
			t.Errorf("%s grew within %v: %v, then %v", grown, length, early, late)
		}
		term(t, o.generator)
		o.settle(rule)
	}
}

// sample is what is to stay the same of the three services.
type sample struct {
	memory, goroutines [3]float64 // of the ingest, the detector, the generator
	lag                [2]float64 // of the consumers, in records
}

func (o *trio) sample() sample {
	var s sample
	for i, p := range o.services() {
		s.memory[i], _ = p.Metric("process_resident_memory_bytes", nil)
		s.goroutines[i], _ = p.Metric("go_goroutines", nil)
	}
	s.lag[0], _ = o.in.Metric("influx_ingest_consumer_lag_records", nil)
	s.lag[1], _ = o.det.Metric("laundering_detector_consumer_lag_records", nil)
	return s
}

func mean(samples []sample) sample {
	var m sample
	n := float64(len(samples))
	for _, s := range samples {
		for i := range s.memory {
			m.memory[i] += s.memory[i] / n
			m.goroutines[i] += s.goroutines[i] / n
		}
		for i := range s.lag {
			m.lag[i] += s.lag[i] / n
		}
	}
	return m
}

// grownFrom names what is larger than before by more than what comes and goes.
func (s sample) grownFrom(before sample) string {
	var grown []string
	for i, service := range []string{ingest, detector, "generator"} {
		if s.memory[i] > before.memory[i]*1.1+2*megabyte {
			grown = append(grown, "memory of "+service)
		}
		if s.goroutines[i] > before.goroutines[i]+5 {
			grown = append(grown, "goroutines of "+service)
		}
	}
	for i, service := range []string{ingest, detector} {
		if s.lag[i] > before.lag[i]*2+2000 { // a second's worth
			grown = append(grown, "lag of "+service)
		}
	}
	return strings.Join(grown, ", ")
}

func (s sample) String() string {
	return fmt.Sprintf("memory %.1f, %.1f, %.1f MB, goroutines %.0f, %.0f, %.0f, lag %.0f, %.0f records",
		s.memory[0]/megabyte, s.memory[1]/megabyte, s.memory[2]/megabyte,
		s.goroutines[0], s.goroutines[1], s.goroutines[2], s.lag[0], s.lag[1])
}

// RandomKills kills one of the three services every two seconds, under load.
func RandomKills(length time.Duration) func(testing.TB, harness.Starter) {
	return func(t testing.TB, start harness.Starter) {
		o := startTrio(t, start, harness.Env{"GEN_WAIT_SEC": "0.001"}, nil)
		awaitMore(t, o.s, 1000)
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 0))
		kills := map[*harness.Process]int{}
		every := time.NewTicker(2 * time.Second)
		defer every.Stop()
		for ends := time.Now().Add(length); time.Now().Before(ends); <-every.C {
			p := o.services()[random.IntN(3)]
			p.Kill()
			p.Restart()
			kills[p]++
		}
		t.Logf("killed: ingest %d, detector %d, generator %d times", kills[o.in], kills[o.det], kills[o.generator])
		term(t, o.generator)
		log := o.settle(byDefault)
		t.Logf("%d alerts are repeats", byDefault.Repeats(alerts(t, o.det), transfers(log)))
	}
}
