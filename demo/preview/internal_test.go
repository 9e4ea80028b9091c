package preview

import (
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"fintrans/demo/dashboards"
	"fintrans/demo/embedded"
)

func TestExact(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(1764064800000)
	for _, c := range []struct {
		value    float64
		unit     string
		decimals int
		want     string
	}{
		{1234567, "", 0, "1,234,567"}, {0, "", 0, "0"}, {99.996, "currencyUSD", 2, "$100.00"}, {1234.5, "currencyUSD", 2, "$1,234.50"},
		{float64(now.UnixMilli() - 90_000), "dateTimeFromNow", 0, "1 minute ago"},
	} {
		if got := exact(c.value, c.unit, c.decimals, now); got != c.want {
			t.Errorf("%v %s with %d decimals: %q, want %q", c.value, c.unit, c.decimals, got, c.want)
		}
	}
	for unit, want := range map[string]string{"currencyUSD": "$12.5 k", "percent": "12500 %", "s": "12.5 k s", "bytes": "12 KiB", "": "12.5 k"} {
		if got := short(unit)(12500); got != want {
			t.Errorf("12500 in %q: %q, want %q", unit, got, want)
		}
	}
}

// TestHangingInflux shows a page although InfluxDB takes every question and answers none.
func TestHangingInflux(t *testing.T) {
	t.Parallel()
	influx, err := embedded.StartInflux(embedded.InfluxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = influx.Close() })
	influx.Fail(embedded.Fault{Hang: true})
	all, err := dashboards.Load(dashboards.Current)
	if err != nil {
		t.Fatal(err)
	}
	p := &pages{all: all, influx: dashboards.Influx{URL: influx.URL(), Database: "fintrans"}, limit: 50 * time.Millisecond}
	answer := httptest.NewRecorder()
	p.routes().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/d/fintrans", http.NoBody))
	if answer.Code != http.StatusOK || !strings.Contains(answer.Body.String(), "deadline exceeded") {
		t.Errorf("status %d\n%s", answer.Code, answer.Body)
	}
}

func TestFilled(t *testing.T) {
	t.Parallel()
	gap := math.NaN()
	for _, c := range []struct {
		name    string
		panel   dashboards.Panel
		grouped bool
		want    []float64
	}{
		{"line", dashboards.Panel{}, true, []float64{gap, 2, 3, 4, gap}},
		{"single points", dashboards.Panel{}, false, []float64{gap, 2, 2, 4, gap}},
		{"stack", dashboards.Panel{Stacked: true}, true, []float64{0, 2, 0, 4, 0}},
	} {
		got := filled([]float64{gap, 2, gap, 4, gap}, c.panel, c.grouped)
		if !slices.EqualFunc(got, c.want, func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestShares(t *testing.T) {
	t.Parallel()
	values := [][]float64{{1, 0, 3}, {3, 0, 0}}
	shares(values)
	if !slices.Equal(values[0], []float64{25, 0, 100}) || !slices.Equal(values[1], []float64{75, 0, 0}) {
		t.Errorf("shares %v", values)
	}
}
