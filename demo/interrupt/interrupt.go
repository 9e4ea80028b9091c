// Package interrupt is how a command that has something to finish is ended: the first Ctrl-C has it finish, the second
// ends it at once.
package interrupt

import (
	"context"
	"errors"
	"os"
)

// Interruption is how a run is brought to its end: when Soft ends it finishes what is under way, when Hard ends it drops it.
// Soft ends with Hard.
type Interruption struct{ Soft, Hard context.Context } //nolint:containedctx // the two go everywhere together

// ErrTwice is the cause of the end of Hard.
var ErrTwice = errors.New("interrupted a second time: what was under way was dropped")

// By returns what ends softly at the first signal, or when early is closed, which may be nil; and hard at the next signal.
// The caller releases it, which ends both.
func By(signals <-chan os.Signal, early <-chan struct{}) (i Interruption, release func()) {
	hard, cut := context.WithCancelCause(context.Background())
	soft, stop := context.WithCancel(hard)
	go func() {
		select {
		case <-signals:
		case <-early:
		case <-hard.Done():
			return
		}
		stop()
		select {
		case <-signals:
			cut(ErrTwice)
		case <-hard.Done():
		}
	}()
	return Interruption{Soft: soft, Hard: hard}, func() { stop(); cut(nil) }
}
