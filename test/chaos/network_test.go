package chaos

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// echo listens and says what it hears, line by line.
func echo(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	return listener.Addr().String()
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// say sends a line and returns what comes back within the time.
func say(conn net.Conn, within time.Duration) (string, error) {
	if _, err := io.WriteString(conn, "hello\n"); err != nil {
		return "", err
	}
	if err := conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		return "", err
	}
	return bufio.NewReader(conn).ReadString('\n')
}

const patience = 10 * time.Second

// TestNetworkFails sees that each way of failing does what it says, on one way alone, and is over when it is healed.
func TestNetworkFails(t *testing.T) {
	t.Parallel()
	target, other := networkTarget{Ingest, 0}, networkTarget{Ingest, 1}
	cases := map[Kind]func(t *testing.T, before net.Conn, addr string){
		NetSlow: func(t *testing.T, before net.Conn, _ string) {
			began := time.Now()
			if _, err := say(before, patience); err != nil || time.Since(began) < 100*time.Millisecond {
				t.Errorf("answered after %v: %v, want 100 ms at least", time.Since(began), err)
			}
		},
		NetCut: func(t *testing.T, before net.Conn, addr string) {
			if _, err := say(before, patience); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("the connection is there: %v", err)
			}
			if conn, err := net.Dial("tcp", addr); err == nil {
				_ = conn.Close()
				t.Error("a new connection was accepted")
			}
		},
		NetHalfOpen: func(t *testing.T, before net.Conn, addr string) {
			for _, conn := range []net.Conn{before, dial(t, addr)} {
				if line, err := say(conn, 300*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("%q, %v came through, want nothing and the connection to stay", line, err)
				}
			}
		},
		NetReset: func(t *testing.T, before net.Conn, addr string) {
			for _, conn := range []net.Conn{before, dial(t, addr)} {
				if line, err := say(conn, patience); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("%q, %v, want the connection to end", line, err)
				}
			}
		},
	}
	for kind, look := range cases {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			n := newNetwork()
			t.Cleanup(n.close)
			server := echo(t)
			addr, err := n.open(target, server)
			if err != nil {
				t.Fatal(err)
			}
			otherAddr, err := n.open(other, server)
			if err != nil {
				t.Fatal(err)
			}
			before, untouched := dial(t, addr), dial(t, otherAddr)
			if line, err := say(before, patience); err != nil || line != "hello\n" {
				t.Fatalf("%q, %v before the fault", line, err)
			}
			if err := n.fail(kind, target); err != nil {
				t.Fatal(err)
			}
			look(t, before, addr)
			if line, err := say(untouched, patience); err != nil || line != "hello\n" {
				t.Errorf("%q, %v on the other way", line, err)
			}
			if err := n.heal(t.Context(), target); err != nil {
				t.Fatal(err)
			}
			if line, err := say(dial(t, addr), patience); err != nil || line != "hello\n" {
				t.Errorf("%q, %v after it was healed", line, err)
			}
		})
	}
}

func TestNetworkToAllBrokers(t *testing.T) {
	t.Parallel()
	n := newNetwork()
	t.Cleanup(n.close)
	for _, way := range []networkTarget{{Ingest, 0}, {Ingest, 1}, {Ingest, ToInflux}, {Detector, 0}} {
		if _, err := n.open(way, echo(t)); err != nil {
			t.Fatal(err)
		}
	}
	for target, want := range map[networkTarget]int{{Ingest, AllBrokers}: 2, {Ingest, 1}: 1, {Ingest, ToInflux}: 1, {Generator, 0}: 0} {
		if got := len(n.chosen(target)); got != want {
			t.Errorf("%d ways to %v, want %d", got, target, want)
		}
	}
}
