package standin

import (
	"net/http"
	"strings"
)

// Misbehaviour is what goes wrong. The zero value is nothing.
type Misbehaviour struct {
	// Faults are answers that requests get instead of being served; the first that fits counts.
	Faults []*Fault `json:"faults,omitempty"`
	// PackageDelay is how many seconds an installed package takes until it runs, BrokerDelay how many more
	// Kafka's broker takes.
	PackageDelay float64 `json:"packageDelay,omitempty"`
	BrokerDelay  float64 `json:"brokerDelay,omitempty"`
	// Locked are app ids that a deployment holds which never ends: a change needs force.
	Locked []string `json:"locked,omitempty"`
	// FailLaunch are app ids whose tasks fail at the start.
	FailLaunch []string `json:"failLaunch,omitempty"`
	// Flap are app ids whose tasks die so many seconds after their start.
	Flap map[string]float64 `json:"flap,omitempty"`
	// Hidden are versions of packages, as name:version, that the catalog does not have.
	Hidden []string `json:"hidden,omitempty"`
	// SilentBrokers keeps Kafka's virtual address from accepting connections.
	SilentBrokers bool `json:"silentBrokers,omitempty"`
}

// Fault is an answer that is no service.
type Fault struct {
	Method string `json:"method,omitempty"` // empty is any
	Path   string `json:"path"`             // its beginning
	Status int    `json:"status,omitempty"`
	Body   string `json:"body,omitempty"`
	Type   string `json:"type,omitempty"`  // content type; application/json where empty
	Times  int    `json:"times,omitempty"` // how often; 0 is always
	Hang   bool   `json:"hang,omitempty"`  // no answer at all

	seen int
}

// fits reports whether the fault takes the request, and counts it.
func (f *Fault) fits(r *http.Request) bool {
	if f.Method != "" && f.Method != r.Method || !strings.HasPrefix(r.URL.Path, f.Path) || f.Times > 0 && f.seen >= f.Times {
		return false
	}
	f.seen++
	return true
}

// fault returns the fault that takes the request, nil if none does.
func (c *Cluster) fault(r *http.Request) *Fault {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range c.misbehave.Faults {
		if f.fits(r) {
			return f
		}
	}
	return nil
}

func (f *Fault) answer(w http.ResponseWriter, r *http.Request) {
	if f.Hang {
		<-r.Context().Done()
		return
	}
	kind := f.Type
	if kind == "" {
		kind = "application/json"
	}
	w.Header().Set("Content-Type", kind)
	if f.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "acsjwt")
	}
	w.WriteHeader(f.Status)
	_, _ = w.Write([]byte(f.Body)) // a client that has gone needs no answer
}
