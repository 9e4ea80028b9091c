package child

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// The ports lie below those that Linux and macOS give to outgoing connections. One of theirs could
// be taken by a client, even by one that looks for the server itself, while the server restarts.
const (
	firstPort = 20_000
	lastPort  = 32_000
	blockSize = 100
)

// The ports of this process. A server that was given one may not listen yet, or may be down for a moment:
// that nobody listens does not mean that a port is free.
var own = ports{first: firstPort, last: lastPort, size: blockSize}

// ports gives out ports in blocks, of which each belongs to one process at a time: the process that
// listens on its first port.
type ports struct {
	first, last, size int

	mu     sync.Mutex
	claims []net.Listener // those that say that a block is this process's, for as long as it lives
	blocks []int          // first ports of these blocks
	given  int            // how many ports of the blocks were given out
}

// FreePorts returns n different ports of the loopback interface that nobody listens on, and that no
// other call, of this process or of another one, returns as well.
func FreePorts(n int) ([]int, error) { return own.take(n) }

func (p *ports) take(n int) ([]int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	taken := make([]int, 0, n)
	for len(taken) < n {
		port, err := p.next()
		if err != nil {
			return nil, fmt.Errorf("find %d free ports from %d to %d: %w", n, p.first, p.last-1, err)
		}
		if unused(port) {
			taken = append(taken, port)
		}
	}
	return taken, nil
}

// unused reports whether nobody listens on a port. It asks for a connection: had it listened itself, a child that is
// just being started would hold that listener open until its exec, and the port be refused to the server it is for.
func unused(port int) bool {
	connection, err := net.Dial("tcp", address(port)) //nolint:noctx // on this machine it waits for nothing
	if err != nil {
		return true
	}
	_ = connection.Close()
	return false
}

// next returns the next port of the process's blocks, whether free or not.
func (p *ports) next() (int, error) {
	perBlock := p.size - 1 // the first one is the claim
	if p.given == len(p.blocks)*perBlock {
		if err := p.claim(); err != nil {
			return 0, err
		}
	}
	port := p.blocks[p.given/perBlock] + 1 + p.given%perBlock
	p.given++
	return port, nil
}

// claim makes a block the process's own, beginning to look anywhere: processes that start together do not queue up.
func (p *ports) claim() error {
	count := (p.last - p.first) / p.size
	start := rand.IntN(count)
	for i := range count {
		block := p.first + (start+i)%count*p.size
		if listener, err := listen(block); err == nil {
			p.claims = append(p.claims, listener)
			p.blocks = append(p.blocks, block)
			return nil
		}
	}
	return fmt.Errorf("each of the %d blocks of ports belongs to a process", count)
}

func listen(port int) (net.Listener, error) {
	return net.Listen("tcp", address(port))
}

func address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
