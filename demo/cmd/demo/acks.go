package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

const (
	// lookEvery is the time between two looks at what the generator counts as acknowledged: what a killed
	// generator does not tell any more.
	lookEvery = 250 * time.Millisecond
	// lookWithin is how long an answer may take.
	lookWithin = 2 * time.Second
)

// acknowledged counts what the lives of the generator counted as acknowledged. Of a life that was killed it
// is what was last seen: no more than was really acknowledged. It is safe for concurrent use.
type acknowledged struct {
	mu      sync.Mutex
	life    int
	current int64 // of this life
	earlier int64 // of the lives before
}

// begin starts counting for a life.
func (a *acknowledged) begin(life int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.life = life
	a.earlier += a.current
	a.current = 0
}

// number is that of the life that is counted for.
func (a *acknowledged) number() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.life
}

// saw notes what a life has counted so far. It changes nothing when that life is over.
func (a *acknowledged) saw(life int, transactions int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.life == life {
		a.current = max(a.current, transactions)
	}
}

// total is the count over all lives.
func (a *acknowledged) total() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.earlier + a.current
}

// look asks the generator at the URL what it counts.
func (a *acknowledged) look(ctx context.Context, url string) {
	life := a.number() // before the answer: a later life's would be another's
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	sent, err := scrape(ctx, url+"/metrics", "generator_transactions_total")
	if err == nil { // it may be dead or only just starting; the next look will tell
		a.saw(life, sent)
	}
}

// scrape returns the sum of a counter over its labels.
func scrape(ctx context.Context, url, counter string) (int64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("%s answers status %s", url, answer.Status)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(answer.Body)
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for _, metric := range families[counter].GetMetric() {
		sum += metric.GetCounter().GetValue()
	}
	return int64(sum), nil
}
