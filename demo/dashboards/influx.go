package dashboards

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// answerLimit is the most that is read of an answer, in bytes.
const answerLimit = 64 << 20

// Influx asks an InfluxDB. It is safe for concurrent use.
type Influx struct {
	URL      string
	Database string
	// User and Password are empty where InfluxDB has no users.
	User, Password string
}

// client gives up on a server that hangs.
var client = &http.Client{Timeout: 20 * time.Second}

// result is the answer to one statement.
type result struct {
	Error  string
	Series []answerSeries
}

type answerSeries struct {
	Name    string
	Tags    map[string]string
	Columns []string
	Values  [][]any
}

// ask runs one statement, which can only read. A database or policy that is not there yet has no series.
func (i Influx) ask(ctx context.Context, statement string) ([]answerSeries, error) {
	parameters := url.Values{"q": {statement}, "db": {i.Database}, "epoch": {"ms"}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, i.URL+"/query?"+parameters.Encode(), http.NoBody)
	if err != nil {
		return nil, err
	}
	if i.User != "" {
		request.SetBasicAuth(i.User, i.Password)
	}
	answer, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask InfluxDB: %w", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, answerLimit))
	if err != nil {
		return nil, fmt.Errorf("read InfluxDB's answer: %w", err)
	}
	found, err := parse(text)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d", answer.StatusCode)
	}
	if err != nil {
		return nil, fmt.Errorf("InfluxDB refuses %q: %w", statement, err)
	}
	return found, nil
}

func parse(text []byte) ([]answerSeries, error) {
	var answer struct {
		Error   string
		Results []result
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber() // sums need all their digits
	if err := decoder.Decode(&answer); err != nil {
		return nil, fmt.Errorf("no JSON: %w", err)
	}
	message := answer.Error
	if len(answer.Results) > 0 && message == "" {
		message = answer.Results[0].Error
	}
	switch {
	case strings.HasPrefix(message, "database not found"), strings.HasPrefix(message, "retention policy not found"):
		return nil, nil
	case message != "":
		return nil, errors.New(message)
	case len(answer.Results) == 0:
		return nil, nil
	}
	return answer.Results[0].Series, nil
}
