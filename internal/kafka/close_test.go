package kafka

import (
	"testing"
	"testing/synctest"
	"time"
)

// slowCloser takes its time to close.
type slowCloser time.Duration

func (c slowCloser) Close() error {
	<-time.After(time.Duration(c))
	return nil
}

func TestCloseSoonWaitsForAMomentOnly(t *testing.T) {
	t.Parallel()
	for takes, want := range map[time.Duration]time.Duration{0: 0, 100 * time.Millisecond: 100 * time.Millisecond, time.Hour: closePatience} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			CloseSoon(slowCloser(takes))
			if took := time.Since(start); took != want {
				t.Errorf("a closing of %s: got a wait of %s, want %s", takes, took, want)
			}
			<-time.After(2 * time.Hour) // for the closing to end
		})
	}
}
