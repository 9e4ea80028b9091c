package measure

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// Metric returns the sum of all samples of a metric at url, which is in the Prometheus text format; labels are not
// looked at. A metric that is not there is zero.
func Metric(ctx context.Context, url, name string) (float64, error) {
	text, err := get(ctx, url+"/metrics")
	if err != nil {
		return 0, err
	}
	return sum(text, name)
}

func sum(text, name string) (float64, error) {
	total := 0.0
	for line := range strings.Lines(text) {
		rest, found := strings.CutPrefix(strings.TrimSpace(line), name)
		if !found || rest == "" || rest[0] != ' ' && rest[0] != '{' {
			continue
		}
		value, err := strconv.ParseFloat(rest[strings.LastIndexByte(rest, ' ')+1:], 64)
		if err != nil {
			return 0, fmt.Errorf("metric %s: line %q has no number at its end", name, line)
		}
		total += value
	}
	return total, nil
}

// Counted is the progress of services that count their records in a metric, added up over all of their addresses.
func Counted(name string, urls ...string) Progress {
	return func(ctx context.Context) (int64, error) {
		total := 0.0
		for _, url := range urls {
			value, err := Metric(ctx, url, name)
			if err != nil {
				return 0, err
			}
			total += value
		}
		return int64(total), nil
	}
}

func get(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", err
	}
	request.Header.Set("Accept-Encoding", "identity") // or who is measured spends its time on compression
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return "", err
	}
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("GET %s: status %d, want 200", url, answer.StatusCode)
	}
	return string(text), nil
}
