package child

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// The ports lie below those that Linux and macOS give to outgoing connections. One of theirs could
// be taken by a client, even by one that looks for the server itself, while the server restarts.
const (
	firstPort = 20000
	lastPort  = 32000
)

// FreePorts returns n different ports of the loopback interface that nobody listens on.
func FreePorts(n int) ([]int, error) {
	var open []net.Listener
	defer func() {
		for _, listener := range open {
			_ = listener.Close()
		}
	}()
	ports := make([]int, 0, n)
	var last error
	for range 100 * n {
		if len(ports) == n {
			return ports, nil
		}
		port := firstPort + rand.IntN(lastPort-firstPort)
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			last = err
			continue
		}
		open = append(open, listener) // kept until all are found, so that no two are the same
		ports = append(ports, port)
	}
	return nil, fmt.Errorf("find %d free ports: %w", n, errors.Join(last))
}
