package chaos

import (
	"net/http"

	"fintrans/demo/embedded"
)

// answer is a way in which InfluxDB fails.
type answer struct {
	text  string
	fault embedded.Fault
}

// answers are all ways.
func answers() []answer {
	return []answer{
		{"answers 500", embedded.Fault{Path: "/write", Status: http.StatusInternalServerError}},
		{"answers 503", embedded.Fault{Path: "/write", Status: http.StatusServiceUnavailable, Body: "<html>the proxy is busy</html>"}},
		{"answers 429", embedded.Fault{Path: "/write", Status: http.StatusTooManyRequests}},
		{"answers 413 to more than 2 kB", embedded.Fault{Path: "/write", Status: http.StatusRequestEntityTooLarge, Larger: 2000}},
		{"hangs", embedded.Fault{Path: "/write", Hang: true}},
		{"cuts connections", embedded.Fault{Path: "/write", Cut: true}},
		{"loses its answers", embedded.Fault{Path: "/write", LoseAnswer: true}},
		{"is cut in mid-answer", embedded.Fault{Path: "/write", HalfAnswer: true}},
	}
}
