package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Volume is a number of transactions and the sum of their amounts.
type Volume struct{ Count, Sum int64 }

// plus is the volume with one transaction more.
func (v Volume) plus(amount int64) Volume { return Volume{v.Count + 1, v.Sum + amount} }

func (v Volume) minus(other Volume) Volume { return Volume{v.Count - other.Count, v.Sum - other.Sum} }

// Average is a city's volume and the mean of its amounts as InfluxDB works it out.
type Average struct {
	Volume
	Mean float64
}

// Point is a transaction as InfluxDB holds it.
type Point struct {
	City      string
	Partition int32
	Nanos     int64 // its time since 1970
	Amount    int64
}

// Influx is the database fintrans of an InfluxDB. It is safe for concurrent use.
type Influx struct {
	url    string
	client *http.Client
}

// NewInflux makes a client for the HTTP API at the URL.
func NewInflux(url string) *Influx {
	return &Influx{url: url, client: &http.Client{Timeout: time.Minute}}
}

// Ping fails when no InfluxDB answers.
func (i *Influx) Ping(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, i.url+"/ping", http.NoBody)
	if err != nil {
		return err
	}
	answer, err := i.client.Do(request)
	if err != nil {
		return fmt.Errorf("InfluxDB: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent && answer.StatusCode != http.StatusOK {
		return fmt.Errorf("InfluxDB at %s answers /ping with status %s", i.url, answer.Status)
	}
	return nil
}

// PastHour returns what InfluxDB holds of the past hour, by city; nothing while the database is not there.
func (i *Influx) PastHour(ctx context.Context) (map[string]Average, error) {
	averages := map[string]Average{}
	err := i.query(ctx, `SELECT count(amount), sum(amount), mean(amount) FROM "hour"."transactions" WHERE time > now() - 1h GROUP BY city`,
		func(s series) error {
			for _, row := range s.Values {
				n, err := numbers(row)
				if err != nil || len(n) != 4 {
					return fmt.Errorf("InfluxDB answers %v: %w", row, err)
				}
				averages[s.Tags["city"]] = Average{Volume{int64(n[1]), int64(n[2])}, n[3]}
			}
			return nil
		})
	if isMissing(err) {
		return averages, nil
	}
	return averages, err
}

// Points hands out the transactions with a time in [from, to], in milliseconds since 1970; none while the
// database is not there.
func (i *Influx) Points(ctx context.Context, from, to int64, each func(Point)) error {
	statement := fmt.Sprintf(`SELECT amount FROM "hour"."transactions" WHERE time >= %dms AND time < %dms GROUP BY city, partition`, from, to+1)
	err := i.query(ctx, statement, func(s series) error {
		partition, err := strconv.ParseInt(s.Tags["partition"], 10, 32)
		if err != nil {
			return fmt.Errorf("InfluxDB has a point without a partition: %v", s.Tags)
		}
		for _, row := range s.Values {
			p := Point{City: s.Tags["city"], Partition: int32(partition)}
			if len(row) != 2 {
				return fmt.Errorf("InfluxDB answers %v, want a time and an amount", row)
			}
			if p.Nanos, err = row[0].Int64(); err == nil {
				p.Amount, err = row[1].Int64()
			}
			if err != nil {
				return fmt.Errorf("InfluxDB answers %v, want a time and an amount: %w", row, err)
			}
			each(p)
		}
		return nil
	})
	if isMissing(err) {
		return nil
	}
	return err
}

// series is a part of an answer. Numbers keep all their digits.
type series struct {
	Tags   map[string]string
	Values [][]json.Number
}

// numbers are the numbers of a row.
func numbers(row []json.Number) (numbers []float64, err error) {
	for _, text := range row {
		number, failed := text.Float64()
		numbers, err = append(numbers, number), errors.Join(err, failed)
	}
	return numbers, err
}

// query runs a statement and hands out the series of the answer piece by piece, however long it is.
func (i *Influx) query(ctx context.Context, statement string, each func(series) error) error {
	form := url.Values{"q": {statement}, "db": {"fintrans"}, "epoch": {"ns"}, "chunked": {"true"}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, i.url+"/query", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := i.client.Do(request)
	if err != nil {
		return fmt.Errorf("ask InfluxDB: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 1000))
		return fmt.Errorf("InfluxDB answers status %s: %s", answer.Status, strings.TrimSpace(string(text)))
	}
	for decoder := json.NewDecoder(answer.Body); ; {
		var chunk struct {
			Error   string
			Results []struct {
				Error  string
				Series []series
			}
		}
		switch err := decoder.Decode(&chunk); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("the answer of InfluxDB: %w", err)
		case chunk.Error != "":
			return fmt.Errorf("InfluxDB answers: %s", chunk.Error)
		}
		for _, result := range chunk.Results {
			if result.Error != "" {
				return fmt.Errorf("InfluxDB answers: %s", result.Error)
			}
			for _, s := range result.Series {
				if err := each(s); err != nil {
					return err
				}
			}
		}
	}
}

// isMissing goes by the text: InfluxDB has no code for it.
func isMissing(err error) bool {
	return err != nil && (strings.Contains(err.Error(), "database not found") || strings.Contains(err.Error(), "retention policy not found"))
}
