package realinflux

import (
	"io"
	"log"
	"net/http/httputil"
	"net/url"

	"fintrans/demo/embedded"
)

// StartFront starts a front of the server: it passes requests on, and fails on demand. The caller closes it.
func StartFront(server *Server) (*embedded.Front, error) {
	target, err := url.Parse(server.URL())
	if err != nil {
		return nil, err
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		// Services that are killed leave requests behind: nothing to write about.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	return embedded.StartFront(0, proxy)
}
