package embedded

import (
	"context"
	"fmt"
	"net"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// gate is a TCP listener on a port of its own that can be shut and opened again. While it is shut
// every connection is cut and new ones are refused, as if no process listened, and yet the port
// stays taken: a second socket holds it, bound but not listening. Without that, the port of a
// server that is away could go to any other connection of the machine.
type gate struct {
	addr *net.TCPAddr
	hold int                 // file descriptor of the socket that keeps the port
	left func(client string) // called with the address of a client that closed its connection

	mu     sync.Mutex
	change *sync.Cond // signals a change of ln and closed
	ln     net.Listener
	conns  map[*gatedConn]struct{}
	closed bool
}

// newGate listens on a loopback port, or on a free one where port is 0. It calls left whenever a
// connection ends that it has not cut itself.
func newGate(port int, left func(client string)) (*gate, error) {
	hold, bound, err := holdPort(port)
	if err != nil {
		return nil, fmt.Errorf("hold port %d of 127.0.0.1: %w", port, err)
	}
	g := &gate{
		addr:  &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: bound},
		hold:  hold,
		left:  left,
		conns: map[*gatedConn]struct{}{},
	}
	g.change = sync.NewCond(&g.mu)
	if err := g.Open(); err != nil {
		_ = unix.Close(hold)
		return nil, err
	}
	return g, nil
}

// holdPort binds a socket that never listens and returns it with its port.
func holdPort(port int) (fd, bound int, err error) {
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return 0, 0, err
	}
	defer func() {
		if err != nil {
			_ = unix.Close(fd)
		}
	}()
	unix.CloseOnExec(fd)
	if err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		return 0, 0, err
	}
	if err = unix.Bind(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return 0, 0, err
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		return 0, 0, err
	}
	return fd, name.(*unix.SockaddrInet4).Port, nil
}

// Open accepts connections again. It does nothing when the gate is open.
func (g *gate) Open() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ln != nil || g.closed {
		return nil
	}
	config := net.ListenConfig{Control: reusePort}
	ln, err := config.Listen(context.Background(), "tcp", g.addr.String())
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	g.ln = ln
	g.change.Broadcast()
	return nil
}

func reusePort(_, _ string, conn syscall.RawConn) error {
	var failed error
	err := conn.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	})
	if err != nil {
		return err
	}
	return failed
}

// Shut refuses new connections and cuts those that exist.
func (g *gate) Shut() {
	g.mu.Lock()
	ln := g.ln
	g.ln = nil
	cut := make([]*gatedConn, 0, len(g.conns))
	for conn := range g.conns {
		cut = append(cut, conn)
	}
	g.mu.Unlock()
	if ln != nil {
		_ = ln.Close()
	}
	for _, conn := range cut {
		_ = conn.Close()
	}
}

// Accept waits for a connection, also through times in which the gate is shut.
func (g *gate) Accept() (net.Conn, error) {
	for {
		ln, err := g.listener()
		if err != nil {
			return nil, err
		}
		conn, err := ln.Accept()
		if err != nil {
			g.drop(ln) // what is closed is replaced by Open
			continue
		}
		gated := &gatedConn{Conn: conn, gate: g}
		if g.admit(ln, gated) {
			return gated, nil
		}
		_ = conn.Close()
	}
}

func (g *gate) listener() (net.Listener, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.ln == nil && !g.closed {
		g.change.Wait()
	}
	if g.closed {
		return nil, net.ErrClosed
	}
	return g.ln, nil
}

func (g *gate) drop(ln net.Listener) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ln == ln {
		g.ln = nil
		_ = ln.Close()
	}
}

// admit reports whether the gate that accepted the connection is still open.
func (g *gate) admit(ln net.Listener, conn *gatedConn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ln != ln {
		return false
	}
	g.conns[conn] = struct{}{}
	return true
}

// Close shuts the gate for good and gives the port back.
func (g *gate) Close() error {
	g.mu.Lock()
	first := !g.closed
	g.closed = true
	g.change.Broadcast()
	g.mu.Unlock()
	g.Shut()
	if first {
		return unix.Close(g.hold)
	}
	return nil
}

// Addr returns the address, which stays the same while the gate is shut.
func (g *gate) Addr() net.Addr { return g.addr }

// gatedConn is a connection that its gate can cut.
type gatedConn struct {
	net.Conn
	gate *gate
}

func (c *gatedConn) Close() error {
	c.gate.mu.Lock()
	_, first := c.gate.conns[c]
	delete(c.gate.conns, c)
	left := first && c.gate.ln != nil
	if left {
		c.gate.left(c.RemoteAddr().String())
	}
	c.gate.mu.Unlock()
	return c.Conn.Close()
}
