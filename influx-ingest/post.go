package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"fintrans/internal/service"
)

const (
	// A POST has this long: less than the drain, so that one that hangs does
	// not take all of it.
	postTimeout = 5 * time.Second
	// More of an answer is not read.
	maxAnswer = 64 << 10
)

// poster posts lines to InfluxDB. It is safe for concurrent use.
type poster struct {
	// Not an http.Client: that would follow redirects, with which a POST arrives
	// as a GET. A transport takes them for answers that we do not expect.
	transport *http.Transport
	url       string
	user      string
	secret    service.Secret
	timeout   time.Duration
}

// newPoster makes a poster to a retention policy of the database, for so many writers.
func newPoster(cfg config, to policy, writers int) (*poster, error) {
	secure, err := cfg.influxTLS()
	if err != nil {
		return nil, err
	}
	query := url.Values{"db": {cfg.InfluxTargetDB}, "rp": {to.name}, "precision": {"ns"}}
	return &poster{
		transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: postTimeout, KeepAlive: 30 * time.Second}).DialContext,
			TLSClientConfig:     secure,
			MaxIdleConnsPerHost: writers,
			IdleConnTimeout:     time.Minute,
			WriteBufferSize:     64 << 10,
			DisableCompression:  true, // answers are a line at most
		},
		url:     string(cfg.InfluxAPI) + "/write?" + query.Encode(),
		user:    cfg.InfluxUser,
		secret:  cfg.InfluxPassword,
		timeout: postTimeout,
	}, nil
}

func (p *poster) close() { p.transport.CloseIdleConnections() }

// post writes the lines, which may come in pieces, once and says what came of
// it. It does not return before the transport has let go of them.
func (p *poster) post(ctx context.Context, lines ...[]byte) verdict {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	var open sync.WaitGroup
	defer func() {
		cancel() // a transport that still sends stops, so that the wait is short
		open.Wait()
	}()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, nil)
	if err != nil {
		return verdict{kind: unavailable, reason: err.Error()}
	}
	p.prepare(req, lines, &open)
	resp, err := p.transport.RoundTrip(req)
	if err != nil {
		return verdict{kind: unavailable, reason: p.explain(ctx, err)}
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil && resp.StatusCode != http.StatusNoContent {
		return verdict{kind: unavailable, status: resp.StatusCode, reason: p.explain(ctx, err)}
	}
	return classify(resp.StatusCode, answer)
}

// prepare gives the request its body and headers.
func (p *poster) prepare(req *http.Request, lines [][]byte, open *sync.WaitGroup) {
	req.GetBody = func() (io.ReadCloser, error) { return newLent(lines, open), nil }
	req.Body = newLent(lines, open)
	for _, piece := range lines {
		req.ContentLength += int64(len(piece))
	}
	req.Header.Set("Content-Type", "text/plain; charset=utf-8")
	req.Header.Set("User-Agent", "fintrans-"+name+"/"+service.CurrentBuild().Version)
	// Writing a point again is harmless, so net/http may do so by itself on a
	// connection that the server had closed meanwhile. The header is not sent.
	req.Header["Idempotency-Key"] = nil
	if p.user != "" {
		req.SetBasicAuth(p.user, p.secret.Reveal())
	}
}

// explain says why there is no answer.
func (p *poster) explain(ctx context.Context, err error) string {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return "no answer within " + p.timeout.String()
	}
	return err.Error()
}

// lent is a request's body over bytes that are used again afterwards: the
// transport may read them after it has returned, and until it closes the body.
type lent struct {
	net.Buffers
	once sync.Once
	open *sync.WaitGroup
}

func newLent(lines [][]byte, open *sync.WaitGroup) *lent {
	open.Add(1)
	return &lent{Buffers: slices.Clone(lines), open: open} // they shrink as they are read
}

// Close implements io.Closer.
func (l *lent) Close() error {
	l.once.Do(l.open.Done)
	return nil
}
