package cases

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"fintrans/demo/harness"
)

// PagesStayUp opens a thousand connections to each service that say nothing, and a hundred more of those who do not
// read what they ask for, send garbage or never finish a request: everybody else is answered, the money flows, and
// those connections are cut off.
func PagesStayUp(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	in, det := s.Start(ingest, quick), s.Start(detector, rules(tenMinutes, 0))
	generator := s.Start("generator", harness.Env{"GEN_WAIT_SEC": "0.01"})
	all := []*harness.Process{in, det, generator}
	before := map[*harness.Process]float64{}
	for _, p := range all {
		p.AwaitReady()
		before[p], _ = p.Metric("process_open_fds", nil)
	}
	var conns []net.Conn
	t.Cleanup(func() { closeAll(conns) })
	for _, p := range all {
		address := strings.TrimPrefix(p.URL(), "http://")
		conns = append(conns, besiege(t, address)...)
		awaitMetric(t, p, "process_open_fds", before[p]+1000)
	}
	stored := awaitMore(t, s, 0)
	for range 10 {
		for _, p := range all {
			for _, page := range []string{"/health", "/ready", "/metrics"} {
				if status, body := p.Get(page); status != http.StatusOK {
					t.Errorf("%s of %v answers %d, %.200q, want 200", page, p, status, body)
				}
			}
		}
	}
	awaitMore(t, s, stored)
	for _, p := range all {
		harness.Eventually(t, func() (bool, string) {
			open, samples := p.Metric("process_open_fds", nil)
			return samples == 1 && open < before[p]+100, fmt.Sprintf("%v has %v files open, want the %v of before", p, open, before[p])
		})
	}
	term(t, generator)
	s.AwaitVolumes(volumes(s.Log(harness.Cities()...)))
	term(t, in, det)
}

// besiege opens the connections, which the caller closes.
func besiege(t testing.TB, address string) []net.Conn {
	t.Helper()
	openings := make([]string, 1000, 1100) // a thousand that say nothing
	for range 25 {
		openings = append(openings,
			strings.Repeat("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 300), // and read none of it
			"GET /health HTTP/1.1\r\nHost: x\r\nX-",
			"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\xff\r\n\r\n",
			"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000000\r\n\r\n"+strings.Repeat("x", 10_000),
		)
	}
	var conns []net.Conn
	for i, opening := range openings {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		if err != nil {
			closeAll(conns)
			t.Fatalf("connection %d to %s: %v", i, address, err)
		}
		conns = append(conns, conn)
		_, _ = io.WriteString(conn, opening) // which may be cut off at once
	}
	return conns
}

func closeAll(conns []net.Conn) {
	for _, conn := range conns {
		_ = conn.Close()
	}
}
