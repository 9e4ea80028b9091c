package child

import (
	"context"
	"os/exec"
	"sync"
	"testing"
)

// TestNoPortIsGivenTwice has two processes, each with several tests, ask for all ports that there are, none of which
// is listened on.
func TestNoPortIsGivenTwice(t *testing.T) {
	t.Parallel()
	first := room(t)
	processes := []*ports{portsFrom(t, first, 20), portsFrom(t, first, 20)}
	var (
		work  sync.WaitGroup
		mu    sync.Mutex
		given = map[int]bool{}
	)
	for i := range 5 {
		work.Go(func() {
			found, err := processes[i%2].take(3)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			for _, port := range found {
				if given[port] {
					t.Errorf("port %d was given twice", port)
				}
				given[port] = true
			}
		})
	}
	work.Wait()
	if len(given) != 15 {
		t.Errorf("%d ports were given, want 15", len(given))
	}
	if found, err := processes[0].take(1); err == nil {
		t.Errorf("ports %v were given after all of them", found)
	}
}

// TestPortInUseIsLeftOut: a server that is nobody's listens in the middle of a block.
func TestPortInUseIsLeftOut(t *testing.T) {
	t.Parallel()
	first := room(t)
	listener, err := listen(first + 2)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	p := portsFrom(t, first, 4)
	found, err := p.take(2)
	if err != nil || found[0] != first+1 || found[1] != first+3 {
		t.Errorf("ports %v were given (%v), want %d and %d", found, err, first+1, first+3)
	}
}

// TestGivenPortCanBeListenedOn has the process start others meanwhile: between fork and exec each of them has what
// this process has open, and would keep a port that was only tried.
func TestGivenPortCanBeListenedOn(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var starters sync.WaitGroup
	for range 2 {
		starters.Go(func() {
			for ctx.Err() == nil {
				_ = exec.CommandContext(ctx, "true").Run() // one that the end of the test kills has served as well
			}
		})
	}
	defer starters.Wait()
	defer cancel()

	p := portsFrom(t, firstPort, lastPort-firstPort)
	p.size = blockSize
	for range 500 {
		found, err := p.take(1)
		if err != nil {
			t.Fatal(err)
		}
		listener, err := listen(found[0])
		if err != nil {
			t.Fatalf("a port that was given: %v", err)
		}
		_ = listener.Close()
	}
}

// room returns the first of 20 ports that nobody listens on and nobody else is given.
func room(t *testing.T) int {
	t.Helper()
	p := portsFrom(t, firstPort, lastPort-firstPort)
	p.size = blockSize
	for {
		if err := p.claim(); err != nil {
			t.Fatal(err)
		}
		first := p.blocks[len(p.blocks)-1] + 1
		free := 0
		for free < 20 && unused(first+free) {
			free++
		}
		if free == 20 {
			return first
		}
	}
}

// portsFrom are the ports of a process that has so many of them, in blocks of four.
func portsFrom(t *testing.T, first, count int) *ports {
	t.Helper()
	p := &ports{first: first, last: first + count, size: 4}
	t.Cleanup(func() {
		for _, claim := range p.claims {
			_ = claim.Close()
		}
	})
	return p
}
