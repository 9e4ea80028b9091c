package interrupt

import (
	"context"
	"errors"
	"os"
	"testing"
)

// TestSignalsEndSoftlyFirst sees that the first signal, or what comes early, ends softly and the next hard.
func TestSignalsEndSoftlyFirst(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]func(chan<- os.Signal, chan<- struct{}){
		"signal": func(signals chan<- os.Signal, _ chan<- struct{}) { signals <- os.Interrupt },
		"early":  func(_ chan<- os.Signal, early chan<- struct{}) { close(early) },
	} {
		signals, early := make(chan os.Signal), make(chan struct{})
		i, release := By(signals, early)
		defer release()
		if i.Soft.Err() != nil || i.Hard.Err() != nil {
			t.Fatalf("%s: it ends before", name)
		}
		first(signals, early)
		<-i.Soft.Done()
		if i.Hard.Err() != nil {
			t.Fatalf("%s: the first ends it hard", name)
		}
		signals <- os.Interrupt
		<-i.Hard.Done()
		if cause := context.Cause(i.Hard); !errors.Is(cause, ErrTwice) {
			t.Errorf("%s: it ends with %v, want %v", name, cause, ErrTwice)
		}
	}
}

// TestReleaseEndsBoth sees that nothing waits for signals that do not come.
func TestReleaseEndsBoth(t *testing.T) {
	t.Parallel()
	i, release := By(nil, nil)
	release()
	<-i.Soft.Done()
	<-i.Hard.Done()
}
