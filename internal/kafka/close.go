package kafka

import (
	"io"
	"sync"
	"time"
)

// closePatience is how long CloseSoon waits.
const closePatience = 300 * time.Millisecond

// CloseSoon closes what may wait for a broker that is away, such as a client
// that refreshes its metadata, all at the same time, and waits for that a moment
// only. It is for the end of a program: nothing tells when, or how, a closing ends.
func CloseSoon(what ...io.Closer) {
	var closing sync.WaitGroup
	for _, one := range what {
		closing.Go(func() { _ = one.Close() })
	}
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		closing.Wait()
	}()
	timer := time.NewTimer(closePatience)
	defer timer.Stop()
	select {
	case <-closed:
	case <-timer.C:
	}
}
