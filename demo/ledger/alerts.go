package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"fintrans/demo/oracle"
)

// Trigger is the transaction that set an alert off, and so the identity of the alert.
type Trigger struct {
	City      string
	Partition int32
	Offset    int64
}

// Alert is an alert as it is published.
type Alert struct {
	oracle.Alert
	Trigger
}

// Alerts returns what is in [from, to) of an alert topic, alerts that are there again included. A record that is no
// alert is an error.
func (t *Topics) Alerts(ctx context.Context, from, to Position) ([]Alert, error) {
	var alerts []Alert
	var bad error
	err := t.scan(ctx, from, to, func(r *kgo.Record) {
		alert, err := parseAlert(r.Value)
		if err != nil {
			bad = fmt.Errorf("%s/%d offset %d is no alert: %w: %q", r.Topic, r.Partition, r.Offset, err, r.Value)
			return
		}
		alerts = append(alerts, alert)
	})
	if err == nil {
		err = bad
	}
	return alerts, err
}

func parseAlert(value []byte) (Alert, error) {
	var wire struct {
		Source, Target *uint32
		Total          *uint64
		Topic          *string
		Partition      *int32
		Offset         *int64
	}
	if err := json.Unmarshal(value, &wire); err != nil {
		return Alert{}, err
	}
	if wire.Source == nil || wire.Target == nil || wire.Total == nil || wire.Topic == nil || wire.Partition == nil || wire.Offset == nil {
		return Alert{}, fmt.Errorf("a field is missing")
	}
	return Alert{
		Alert:   oracle.Alert{Pair: oracle.Pair{Source: *wire.Source, Target: *wire.Target}, Total: *wire.Total},
		Trigger: Trigger{City: *wire.Topic, Partition: *wire.Partition, Offset: *wire.Offset},
	}, nil
}

// Alerts returns the alerts that InfluxDB holds; none while the database is not there.
func (i *Influx) Alerts(ctx context.Context) ([]Alert, error) {
	var alerts []Alert
	err := i.query(ctx, `SELECT "source", "target", "total", "offset" FROM "month"."alerts" GROUP BY city, partition`, func(s series) error {
		partition, err := strconv.ParseInt(s.Tags["partition"], 10, 32)
		if err != nil {
			return fmt.Errorf("InfluxDB has an alert without a partition: %v", s.Tags)
		}
		for _, row := range s.Values {
			alert, err := alertOf(row)
			if err != nil {
				return fmt.Errorf("InfluxDB answers %v, want an alert: %w", row, err)
			}
			alert.City, alert.Partition = s.Tags["city"], int32(partition)
			alerts = append(alerts, alert)
		}
		return nil
	})
	if isMissing(err) {
		return nil, nil
	}
	return alerts, err
}

// alertOf reads time, source, target, total and offset.
func alertOf(row []json.Number) (a Alert, err error) {
	if len(row) != 5 {
		return a, fmt.Errorf("%d columns", len(row))
	}
	var numbers [4]int64
	for i, text := range row[1:] {
		if numbers[i], err = text.Int64(); err != nil {
			return a, err
		}
	}
	a.Pair = oracle.Pair{Source: uint32(numbers[0]), Target: uint32(numbers[1])}
	a.Total, a.Offset = uint64(numbers[2]), numbers[3]
	return a, nil
}
