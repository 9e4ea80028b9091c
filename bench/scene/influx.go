package scene

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"fintrans/bench/measure"
)

// Influx is an InfluxDB, asked over its API.
type Influx struct{ URL string }

// Query runs a statement and returns the first row of each of its series, by column.
func (i Influx) Query(ctx context.Context, statement string) ([]map[string]any, error) {
	form := url.Values{"q": {statement}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, i.URL+"/query", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	rows, err := firstRows(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", statement, err)
	}
	return rows, nil
}

// firstRows reads InfluxDB's answer to one statement.
func firstRows(text []byte) ([]map[string]any, error) {
	var answer struct {
		Error   string `json:"error"`
		Results []struct {
			Error  string `json:"error"`
			Series []struct {
				Columns []string `json:"columns"`
				Values  [][]any  `json:"values"`
			} `json:"series"`
		} `json:"results"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, fmt.Errorf("answer %q: %w", text, err)
	}
	if answer.Error != "" {
		return nil, fmt.Errorf("InfluxDB refuses it: %s", answer.Error)
	}
	var rows []map[string]any
	for _, result := range answer.Results {
		if result.Error != "" {
			return nil, fmt.Errorf("InfluxDB refuses it: %s", result.Error)
		}
		for _, series := range result.Series {
			if len(series.Values) == 0 {
				continue
			}
			row := map[string]any{}
			for column, name := range series.Columns {
				row[name] = series.Values[0][column]
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// CreateDatabase makes a database with the retention policy that influx-ingest makes, too.
func (i Influx) CreateDatabase(ctx context.Context, name string) error {
	_, err := i.Query(ctx, fmt.Sprintf(`CREATE DATABASE %q WITH DURATION 1h REPLICATION 1 SHARD DURATION 1h NAME "hour"`, name))
	return err
}

// DropDatabase removes a database.
func (i Influx) DropDatabase(ctx context.Context, name string) error {
	_, err := i.Query(ctx, fmt.Sprintf("DROP DATABASE %q", name))
	return err
}

// Points returns how many transactions a database holds.
func (i Influx) Points(ctx context.Context, database string) (int64, error) {
	rows, err := i.Query(ctx, fmt.Sprintf(`SELECT COUNT(amount) AS n FROM %q."hour".transactions`, database))
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	return number(rows[0]["n"]), nil
}

// Written returns how many points the server has accepted since it started: what it counts itself.
func (i Influx) Written(ctx context.Context) (int64, error) {
	rows, err := i.Query(ctx, "SHOW STATS FOR 'httpd'")
	if err != nil {
		return 0, err
	}
	total := int64(0)
	for _, row := range rows {
		total += number(row["pointsWrittenOK"])
	}
	return total, nil
}

// Since is the progress of whoever writes points, from now on.
func (i Influx) Since(ctx context.Context) (measure.Progress, error) {
	before, err := i.Written(ctx)
	return func(ctx context.Context) (int64, error) {
		now, err := i.Written(ctx)
		return now - before, err
	}, err
}

func number(value any) int64 {
	n, _ := value.(float64) // what is no number counts nothing
	return int64(n)
}
