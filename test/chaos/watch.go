package chaos

import (
	"bufio"
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// lookEvery is the time between two looks at an instance's counter.
	lookEvery = 250 * time.Millisecond
	// lookWithin is how long an answer may take.
	lookWithin = 2 * time.Second
)

// counters are what a service is for, in its metrics.
var counters = map[string]string{
	Generator: "generator_transactions_total",
	Ingest:    "influx_ingest_points_total",
	Detector:  "laundering_detector_records_total",
}

// looker keeps no connection to a process that may be killed next.
var looker = &http.Client{Timeout: lookWithin, Transport: &http.Transport{DisableKeepAlives: true}}

// watch looks at the counters of all instances until ctx ends.
func (r *run) watch(ctx context.Context) {
	looking := map[*instance]chan struct{}{} // closed when the look is over
	r.every(ctx, lookEvery, func() {
		wanted := map[*instance]bool{}
		for _, i := range r.fleet.all() {
			wanted[i] = true
			if over := looking[i]; over != nil {
				select {
				case <-over:
				default:
					continue // it is frozen, perhaps; the others are looked at nevertheless
				}
			}
			over := make(chan struct{})
			looking[i] = over
			go func() {
				defer close(over)
				r.look(ctx, i)
			}()
		}
		for i, over := range looking {
			if !wanted[i] {
				<-over
				delete(looking, i)
			}
		}
	})
	for _, over := range looking {
		<-over
	}
}

// look asks an instance for its counter.
func (r *run) look(ctx context.Context, i *instance) {
	l, url := i.address()
	if url == "" {
		return
	}
	value, err := scrape(ctx, url+"/metrics", counters[i.service])
	if err == nil { // it may be dead or only just starting; the next look will tell
		r.progress.saw(time.Now(), l, value)
	}
}

// scrape returns the sum of a metric over its labels.
func scrape(ctx context.Context, url, name string) (float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, err
	}
	answer, err := looker.Do(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	sum := 0.0
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		rest, ok := strings.CutPrefix(lines.Text(), name)
		if !ok || rest == "" || rest[0] != '{' && rest[0] != ' ' {
			continue
		}
		value, err := strconv.ParseFloat(rest[strings.LastIndexByte(rest, ' ')+1:], 64)
		if err != nil {
			return 0, err
		}
		sum += value
	}
	return sum, lines.Err()
}
