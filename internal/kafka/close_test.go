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

// What lies between the budget of a drain and its limit is less than three times that moment.
func TestCloseSoonClosesAllAtTheSameTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		CloseSoon(slowCloser(time.Hour), slowCloser(100*time.Millisecond), slowCloser(time.Hour), slowCloser(0))
		if took := time.Since(start); took != closePatience {
			t.Errorf("got a wait of %s, want %s", took, closePatience)
		}
		CloseSoon()
		<-time.After(2 * time.Hour) // for the closings to end
	})
}
