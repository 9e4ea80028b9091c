package measure

import (
	"context"
	"time"
)

const (
	idleFor   = time.Second // is long enough to tell
	idleShare = 0.9         // of the processors' time, and the rest is for what always runs
)

// AwaitIdle waits until the processors of the machine have next to nothing to do: servers go on for some seconds after
// a run, with what it left behind, and that would be at the cost of the next one. It tells whether they had when patience was
// over. Its error is why ctx ended before, or why the machine does not say it.
func AwaitIdle(ctx context.Context, patience time.Duration) (idle bool, err error) {
	return awaitIdle(ctx, patience, idleTime)
}

func awaitIdle(ctx context.Context, patience time.Duration, idleTime func() (time.Duration, int, error)) (idle bool, err error) {
	for deadline := time.Now().Add(patience); ; {
		start := time.Now()
		before, processors, err := idleTime()
		if err == nil {
			err = Pause(ctx, idleFor)
		}
		if err != nil {
			return false, err
		}
		after, _, err := idleTime()
		if err != nil {
			return false, err
		}
		if float64(after-before) >= idleShare*float64(time.Since(start))*float64(processors) {
			return true, nil
		}
		if time.Now().After(deadline) {
			return false, nil
		}
	}
}
