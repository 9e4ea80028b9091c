package harness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Series is a series of an answer of InfluxDB; the first column is time, in nanoseconds since 1970.
type Series struct {
	Name    string            `json:"name"`
	Tags    map[string]string `json:"tags"`
	Columns []string          `json:"columns"`
	Values  [][]any           `json:"values"`
}

// Integer returns the value of a column in a row, 0 where there is none.
func (s Series) Integer(row int, column string) int64 {
	for i, name := range s.Columns {
		if number, ok := s.Values[row][i].(json.Number); ok && name == column {
			n, err := number.Int64()
			if err == nil {
				return n
			}
		}
	}
	return 0
}

// TryQuery runs statements in the database fintrans and returns the series that they give.
func (s *System) TryQuery(statements string) ([]Series, error) {
	form := url.Values{"q": {statements}, "db": {"fintrans"}, "epoch": {"ns"}}
	answer, err := client.PostForm(s.Influx.URL()+"/query", form)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d: %s", answer.StatusCode, strings.TrimSpace(string(text)))
	}
	return parseAnswer(text)
}

func parseAnswer(text []byte) ([]Series, error) {
	var parsed struct {
		Error   string
		Results []struct {
			Error  string
			Series []Series
		}
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber() // sums need all their digits
	if err := decoder.Decode(&parsed); err != nil {
		return nil, err
	}
	message := parsed.Error
	var series []Series
	for _, result := range parsed.Results {
		series = append(series, result.Series...)
		if message == "" {
			message = result.Error
		}
	}
	if message != "" {
		return nil, fmt.Errorf("%s", message)
	}
	return series, nil
}

// Query is TryQuery that fails the test at an error.
func (s *System) Query(statements string) []Series {
	s.t.Helper()
	series, err := s.TryQuery(statements)
	if err != nil {
		s.t.Fatalf("query %q: %v", statements, err)
	}
	return series
}

// Volume is a number of transactions and the sum of their amounts.
type Volume struct{ Count, Sum int64 }

// Volumes returns what InfluxDB holds per city; nothing while the database is not there.
func (s *System) Volumes() map[string]Volume {
	volumes := map[string]Volume{}
	series, err := s.TryQuery(`SELECT count(amount), sum(amount) FROM "hour"."transactions" GROUP BY city`)
	if err != nil {
		return volumes
	}
	for _, city := range series {
		volumes[city.Tags["city"]] = Volume{city.Integer(0, "count"), city.Integer(0, "sum")}
	}
	return volumes
}

// AwaitVolumes waits until InfluxDB holds exactly this, and fails at once when a city has more.
func (s *System) AwaitVolumes(want map[string]Volume) {
	s.t.Helper()
	Eventually(s.t, func() (bool, string) {
		got := s.Volumes()
		missing := ""
		for _, city := range Cities() {
			if got[city].Count > want[city].Count {
				s.t.Fatalf("InfluxDB holds %+v of %s, want %+v", got[city], city, want[city])
			}
			if got[city] != want[city] {
				missing = fmt.Sprintf("InfluxDB holds %+v of %s, want %+v", got[city], city, want[city])
			}
		}
		return missing == "", missing
	})
}
