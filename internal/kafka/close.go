package kafka

import (
	"io"
	"time"
)

// closePatience is how long CloseSoon waits.
const closePatience = 300 * time.Millisecond

// CloseSoon closes what may wait for a broker that is away, such as a client
// that is about to refresh its metadata, and waits for it for a moment only. It
// is for the end of a program: nothing tells when, or how, the closing ends.
func CloseSoon(what io.Closer) {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_ = what.Close()
	}()
	timer := time.NewTimer(closePatience)
	defer timer.Stop()
	select {
	case <-closed:
	case <-timer.C:
	}
}
