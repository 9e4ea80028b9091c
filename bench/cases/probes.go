package cases

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"fintrans/internal/transaction"
)

const (
	// aProbeEach is how many transactions there are for one that sets off an alert.
	aProbeEach = 40
	// firstProbe is the account that the first probe's money comes from; each has one of its own.
	firstProbe = 1 << 20
	// probeAmount is over the threshold at once.
	probeAmount = 10_001
)

// probes are the transactions of a run that set off alerts, and when what happened to them. A consumer reads those of
// the runs before as well, perhaps only now, so no two of all runs on the same topics are of the same accounts: there is
// one probes for all of them.
type probes struct {
	mu    sync.Mutex
	base  int64 // number of the run's first
	times []probeTimes
}

// probeTimes are those of one probe; zero where it has not come to that.
type probeTimes struct {
	sent, acked time.Time
	line        [2]time.Time // by consumer
}

// begin begins a run: its probes are numbered on from the last one's.
func (p *probes) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.base += int64(len(p.times))
	p.times = nil
}

// next is the n-th transaction of the run; some are probes.
func (p *probes) next(n int64) (transaction.Transaction, func()) {
	if n%aProbeEach != 0 {
		return small(n), nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	number := p.base + int64(len(p.times))
	p.times = append(p.times, probeTimes{sent: time.Now()})
	return transaction.Transaction{Source: uint32(firstProbe + number), Target: 1, Amount: probeAmount}, func() {
		now := time.Now()
		p.note(number, func(t *probeTimes) { t.acked = now })
	}
}

// note changes the times of a probe of this run; one of an earlier run is nobody's any more.
func (p *probes) note(number int64, change func(*probeTimes)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := number - p.base; i >= 0 && i < int64(len(p.times)) {
		change(&p.times[i])
	}
}

// printed takes what a consumer, the first or the second, has printed. What it prints again is no news.
func (p *probes) printed(consumer int, line string) {
	now := time.Now()
	account, ok := firstNumber(line)
	if !ok {
		return
	}
	p.note(account-firstProbe, func(t *probeTimes) {
		if t.line[consumer].IsZero() {
			t.line[consumer] = now
		}
	})
}

// firstNumber is that of the words of a line.
func firstNumber(line string) (int64, bool) {
	for word := range strings.FieldsSeq(line) {
		if n, err := strconv.ParseInt(word, 10, 64); err == nil {
			return n, true
		}
	}
	return 0, false
}

// count is how many probes of this run were sent.
func (p *probes) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.times)
}

// since are a consumer's latencies so far, of the run's probes but for the first ones. missing are those whose line is
// not there yet.
func (p *probes) since(first, consumer int) (w waits, missing int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.times[first:] {
		line := t.line[consumer]
		if line.IsZero() {
			missing++
			continue
		}
		w.sent = append(w.sent, line.Sub(t.sent))
		w.acked = append(w.acked, max(0, line.Sub(t.acked))) // a consumer may be faster than the acknowledgement
	}
	return w, missing
}
