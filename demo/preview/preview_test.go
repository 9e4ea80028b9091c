package preview_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"fintrans/demo/dashboards"
	"fintrans/demo/embedded"
	"fintrans/demo/preview"
)

// start starts a preview of an InfluxDB with known points.
func start(t *testing.T) (*preview.Server, *embedded.Influx) {
	t.Helper()
	influx, err := embedded.StartInflux(embedded.InfluxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = influx.Close() })
	p, err := preview.Start(t.Context(), preview.Options{Addr: "127.0.0.1:0", Influx: dashboards.Influx{URL: influx.URL(), Database: "fintrans"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p, influx
}

func fill(t *testing.T, influx *embedded.Influx) {
	t.Helper()
	for _, statement := range []string{
		`CREATE DATABASE fintrans WITH DURATION 1h REPLICATION 1 SHARD DURATION 1h NAME "hour"`,
		`CREATE RETENTION POLICY "month" ON fintrans DURATION 720h REPLICATION 1`,
	} {
		post(t, influx.URL()+"/query?"+url.Values{"q": {statement}}.Encode(), "")
	}
	begin := time.Now().Add(-10 * time.Minute)
	var lines []string
	for i, city := range []string{"London", "NYC", "London"} {
		lines = append(lines, fmt.Sprintf("transactions,city=%s,partition=3 amount=%di,source=516i,target=482i %d", city, 4000+i, begin.Add(time.Duration(i)*time.Minute).UnixNano()))
	}
	post(t, influx.URL()+"/write?db=fintrans&rp=hour", strings.Join(lines, "\n"))
	last := begin.Add(2 * time.Minute)
	post(t, influx.URL()+"/write?db=fintrans&rp=month", fmt.Sprintf(
		`alerts,city=London,partition=3 source=516i,target=482i,total=12003i,threshold=10000i,transfers=3i,first_ms=%di,last_ms=%di,cities="London, NYC" %d`,
		begin.UnixMilli(), last.UnixMilli(), last.UnixNano()))
}

func post(t *testing.T, address, body string) {
	t.Helper()
	answer, err := http.Post(address, "", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode >= http.StatusBadRequest {
		t.Fatalf("POST %s: %s", address, answer.Status)
	}
}

func get(t *testing.T, address string) (status int, body string, header http.Header) {
	t.Helper()
	answer, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text), answer.Header
}

// section returns the panel with the title.
func section(t *testing.T, body, title string) string {
	t.Helper()
	_, after, ok := strings.Cut(body, `data-title="`+title+`"`)
	if !ok {
		t.Fatalf("no panel %q in\n%s", title, body)
	}
	found, _, _ := strings.Cut(after, "</section>")
	return found
}

// has fails the test unless the panel shows the words.
func has(t *testing.T, body, title string, words ...string) {
	t.Helper()
	shown := section(t, body, title)
	for _, word := range words {
		if !strings.Contains(shown, word) {
			t.Errorf("panel %q does not show %q:\n%s", title, word, shown)
		}
	}
}

func TestPreviewShowsTheMoney(t *testing.T) {
	t.Parallel()
	p, influx := start(t)
	body := bodyOf(t, p.URL()) // before there is a database
	has(t, body, "Transactions", "none")
	has(t, body, "Total volume per city", "no data in this range")
	fill(t, influx)
	status, body, header := get(t, p.URL())
	if status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	has(t, body, "Transactions", ">3<")
	has(t, body, "Average transaction", "$4,001.00")
	has(t, body, "Total volume", "$12,003.00")
	has(t, body, "Total volume per city", "<svg", "London", "NYC", "alert")
	has(t, body, "Cities", "<td>London</td><td>2</td><td>4001.00</td><td>8002</td><td>4002</td>", "<td>NYC</td><td>1</td>")
	has(t, body, "Alerts", ">12003</a>", "London, NYC")
	if strings.Contains(body, "class=\"error\"") {
		t.Error("a panel shows an error")
	}
	if external := regexp.MustCompile(`(src|href)="?(https?:)?//|url\(|@import`).FindString(body); external != "" {
		t.Errorf("the page asks for something external: %s", external)
	}
	if policy := header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("policy %q", policy)
	}
	if !strings.Contains(body, "This is a preview") || !strings.Contains(body, "grafana/provision.sh") {
		t.Error("it does not say that it is a preview, and how to get the real thing")
	}
	_, body, _ = get(t, p.URL()+"/d/fintrans/fintrans?var-city=NYC&from=now-15m&to=now")
	has(t, body, "Transactions", ">1<")
	if strings.Contains(section(t, body, "Cities"), "London") {
		t.Error("a city that is not chosen is shown")
	}

	link := regexp.MustCompile(`href="(/d/fintrans-transfers/[^"]*var[^"]*)"`).FindStringSubmatch(section(t, bodyOf(t, p.URL()), "Alerts"))
	_, body, _ = get(t, p.URL()+strings.ReplaceAll(link[1], "&amp;", "&"))
	has(t, body, "Transfers", ">3<")
	has(t, body, "Total, $", "12,003")
	has(t, body, "Transfers, one by one", "<td>NYC</td><td>4001</td>")
	has(t, body, "Running sum against the threshold", "running sum", "threshold", "<svg")
}

func bodyOf(t *testing.T, address string) string {
	t.Helper()
	_, body, _ := get(t, address)
	return body
}

// TestPreviewTakesNoStatements writes InfluxQL into the address: it reaches no query.
func TestPreviewTakesNoStatements(t *testing.T) {
	t.Parallel()
	p, influx := start(t)
	fill(t, influx)
	for _, parameters := range []string{
		"fintrans?var-step=1m)%3BDROP+DATABASE+fintrans--", "fintrans?var-city=x%24%2F%3BDROP+DATABASE+fintrans--",
		"fintrans-transfers?var-source=0+OR+%22source%22%3E0&var-target=482", "fintrans-transfers?var-threshold=1%3BDROP+DATABASE+fintrans",
	} {
		status, body, _ := get(t, p.URL()+"/d/"+parameters)
		if status != http.StatusOK || strings.Contains(body, `class="error"`) || strings.Contains(body, "DROP") {
			t.Errorf("%s: status %d\n%s", parameters, status, body)
		}
	}
	has(t, bodyOf(t, p.URL()+"/d/fintrans-transfers?var-source=0+OR+%22source%22%3E0&var-target=482"), "Transfers", ">none<")
	has(t, bodyOf(t, p.URL()), "Transactions", ">3<")
}

func TestPreviewRefuses(t *testing.T) {
	t.Parallel()
	p, _ := start(t)
	for path, want := range map[string]int{
		"/d/unknown": http.StatusNotFound, "/elsewhere": http.StatusNotFound,
		"/d/fintrans?from=yesterday": http.StatusBadRequest, "/d/fintrans?to=tomorrow": http.StatusBadRequest,
	} {
		if status, body, _ := get(t, p.URL()+path); status != want {
			t.Errorf("%s: status %d %s, want %d", path, status, body, want)
		}
	}
}

func TestPreviewSaysWhatFails(t *testing.T) {
	t.Parallel()
	p, influx := start(t)
	influx.Fail(embedded.Fault{Status: http.StatusServiceUnavailable, Body: `{"error":"shutting down"}`})
	status, body, _ := get(t, p.URL())
	if status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	has(t, body, "Transactions", `class="error"`, "shutting down")
	influx.Fail(embedded.Fault{Cut: true})
	has(t, bodyOf(t, p.URL()), "Alerts", `class="error"`, "ask InfluxDB")
	influx.Fail(embedded.Fault{})
	fill(t, influx)
	has(t, bodyOf(t, p.URL()), "Transactions", ">3<")
}

func TestPreviewTakesAnotherPort(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	p, err := preview.Start(t.Context(), preview.Options{Addr: taken.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	if want := "port " + port + " is taken by another program: the dashboards are at " + p.URL() + " instead"; p.Notice() != want {
		t.Errorf("notice %q, want %q", p.Notice(), want)
	}
	if _, err := preview.Start(t.Context(), preview.Options{Addr: "nonsense"}); err == nil {
		t.Error("an address without a port is taken")
	}
}
