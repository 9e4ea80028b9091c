package embedded_test

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"fintrans/demo/embedded"
)

func TestInfluxKeepsItsDataOverARestart(t *testing.T) {
	t.Parallel()
	i := startInflux(t, embedded.InfluxOptions{Dir: t.TempDir()})
	address := i.URL()
	query(t, i, "CREATE DATABASE money")
	write(t, i, http.StatusNoContent, "volume value=7i 1")

	if err := i.Stop(); err != nil {
		t.Fatal(err)
	}
	if answer, err := http.Get(address + "/ping"); err == nil {
		_ = answer.Body.Close()
		t.Fatal("a stopped server answers")
	}
	if err := i.Start(); err != nil {
		t.Fatal(err)
	}

	if got := i.URL(); got != address {
		t.Errorf("it is back at %s, want %s", got, address)
	}
	if got := query(t, i, "SELECT value FROM money..volume"); !strings.Contains(got, "7") {
		t.Errorf("after the restart: %s, want the value 7", got)
	}
}

func TestInfluxRemovesItsTemporaryDirectory(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	i := startInflux(t, embedded.InfluxOptions{})
	query(t, i, "CREATE DATABASE money")
	if err := i.Close(); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(temp)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 0 {
		t.Errorf("left behind: %v, want nothing", left)
	}
}

func TestInfluxDropsWhatIsOlderThanTheRetention(t *testing.T) {
	t.Parallel()
	i := startInflux(t, embedded.InfluxOptions{})
	query(t, i, `CREATE DATABASE money WITH DURATION 1h REPLICATION 1 SHARD DURATION 1h NAME "hour"`)
	write(t, i, http.StatusBadRequest, "volume value=7i 1")
}

func TestInfluxFails(t *testing.T) {
	t.Parallel()
	i := startInflux(t, embedded.InfluxOptions{})
	query(t, i, "CREATE DATABASE money")

	i.Fail(embedded.Fault{Path: "/write", Status: http.StatusServiceUnavailable, Body: "busy"})
	write(t, i, http.StatusServiceUnavailable, "volume value=1i 1")
	query(t, i, "SHOW DATABASES") // another path

	i.Fail(embedded.Fault{Cut: true})
	if _, err := post(i, "volume value=2i 2"); err == nil {
		t.Error("a cut request was answered")
	}

	i.Fail(embedded.Fault{LoseAnswer: true})
	if _, err := post(i, "volume value=3i 3"); err == nil {
		t.Error("a lost answer arrived")
	}

	i.Fail(embedded.Fault{Hang: true})
	answered := make(chan int)
	go func() {
		status, _ := post(i, "volume value=4i 4")
		answered <- status
	}()
	waitForFaults(t, i, 4)
	i.Fail(embedded.Fault{})
	if got := <-answered; got != http.StatusNoContent {
		t.Errorf("status %d after the hang, want %d", got, http.StatusNoContent)
	}

	got := query(t, i, "SELECT value FROM money..volume")
	if !strings.Contains(got, `[["1970-01-01T00:00:00.000000003Z",3],["1970-01-01T00:00:00.000000004Z",4]]`) {
		t.Errorf("stored %s, want the values 3 and 4 alone", got)
	}
}

func TestInfluxFailsInPart(t *testing.T) {
	t.Parallel()
	i := startInflux(t, embedded.InfluxOptions{})
	query(t, i, "CREATE DATABASE money")

	i.Fail(embedded.Fault{Status: http.StatusRequestEntityTooLarge, Larger: 20})
	write(t, i, http.StatusRequestEntityTooLarge, "volume value=1i 1\nvolume value=1i 1")
	write(t, i, http.StatusNoContent, "volume value=2i 2")

	i.Fail(embedded.Fault{Path: "/write", HalfAnswer: true})
	if _, err := post(i, "volume value=3i 3"); err == nil {
		t.Error("half an answer was taken for one")
	}
	i.Fail(embedded.Fault{})
	got := query(t, i, "SELECT value FROM money..volume")
	if !strings.Contains(got, `[["1970-01-01T00:00:00.000000002Z",2],["1970-01-01T00:00:00.000000003Z",3]]`) {
		t.Errorf("stored %s, want the values 2 and 3 alone", got)
	}
}

func startInflux(t *testing.T, options embedded.InfluxOptions) *embedded.Influx {
	t.Helper()
	i, err := embedded.StartInflux(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := i.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return i
}

func query(t *testing.T, i *embedded.Influx, q string) string {
	t.Helper()
	answer, err := http.PostForm(i.URL()+"/query", url.Values{"q": {q}})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK || strings.Contains(string(body), `"error"`) {
		t.Fatalf("%s: status %d, %s %v", q, answer.StatusCode, body, err)
	}
	return string(body)
}

func post(i *embedded.Influx, line string) (status int, err error) {
	answer, err := http.Post(i.URL()+"/write?db=money", "text/plain", strings.NewReader(line))
	if err != nil {
		return 0, err
	}
	return answer.StatusCode, answer.Body.Close()
}

func write(t *testing.T, i *embedded.Influx, want int, line string) {
	t.Helper()
	got, err := post(i, line)
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("write %q: status %d, want %d", line, got, want)
	}
}

func waitForFaults(t *testing.T, i *embedded.Influx, want int64) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for i.Failed() < want {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%d requests failed, want %d", i.Failed(), want)
		}
	}
}
