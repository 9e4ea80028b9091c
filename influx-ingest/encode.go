package main

import (
	"strconv"
	"strings"

	"github.com/influxdata/influxdb1-client/models"

	"fintrans/internal/alert"
	"fintrans/internal/pipeline"
	"fintrans/internal/transaction"
)

// Where the points are, as dashboards and queries know it.
const (
	measurement       = "transactions"
	alertMeasurement  = "alerts"
	reportMeasurement = "pipeline"
	tagCity           = "city"
	tagPartition      = "partition"
)

// nanosPerMilli is also the number of records of one partition that can have
// the same millisecond and still be points of their own.
const nanosPerMilli = 1_000_000

// seriesKey is what every line of a partition begins with: measurement and
// tags, escaped, and a space.
func seriesKey(measurement, city string, partition int32) []byte {
	tags := models.NewTags(map[string]string{
		tagCity:      city,
		tagPartition: strconv.FormatInt(int64(partition), 10),
	})
	return append(models.MakeKey([]byte(measurement), tags), ' ')
}

// pointTime is a point's timestamp in ns since 1970. It is made from the record
// alone, so that writing a record again writes the same point.
func pointTime(millis, offset int64) int64 { return millis*nanosPerMilli + offset%nanosPerMilli }

// appendPoint appends a line of line protocol: a series key, the fields in the
// client's order, and the time. It does not allocate where dst has room.
func appendPoint(dst, key []byte, t transaction.Transaction, nanos int64) []byte {
	dst = append(dst, key...)
	dst = append(dst, "amount="...)
	dst = strconv.AppendUint(dst, uint64(t.Amount), 10)
	dst = append(dst, "i,source="...)
	dst = strconv.AppendUint(dst, uint64(t.Source), 10)
	dst = append(dst, "i,target="...)
	dst = strconv.AppendUint(dst, uint64(t.Target), 10)
	dst = append(dst, "i "...)
	dst = strconv.AppendInt(dst, nanos, 10)
	return append(dst, '\n')
}

// appendAlert appends the line of an alert.
func appendAlert(dst []byte, a alert.Alert) []byte {
	dst = append(dst, seriesKey(alertMeasurement, a.Topic, a.Partition)...)
	integers := []struct {
		name  string
		value int64
	}{
		{"source", int64(a.Source)}, {"target", int64(a.Target)},
		{"total", int64(a.Total)}, {"threshold", int64(a.Threshold)}, {"window_ms", a.Window},
		{"transfers", int64(a.Transfers)}, {"first_ms", int64(a.First)}, {"last_ms", int64(a.Last)},
		{"offset", a.Offset},
	}
	for _, field := range integers {
		dst = append(dst, field.name...)
		dst = append(dst, '=')
		dst = strconv.AppendInt(dst, field.value, 10)
		dst = append(dst, 'i', ',')
	}
	dst = append(dst, "cities="...)
	dst = strconv.AppendQuote(dst, strings.Join(a.Cities, ", ")) // names of cities: nothing to escape
	dst = append(dst, ' ')
	dst = strconv.AppendInt(dst, pointTime(int64(a.Time), a.Offset), 10)
	return append(dst, '\n')
}

// appendReport appends the line of a point of the pipeline.
func appendReport(dst []byte, p pipeline.Point) []byte {
	tags := map[string]string{"service": p.Service, "instance": p.Instance}
	if p.City != "" {
		tags[tagCity] = p.City
	}
	if p.Reason != "" {
		tags["reason"] = p.Reason
	}
	dst = append(dst, models.MakeKey([]byte(reportMeasurement), models.NewTags(tags))...)
	for i, field := range p.Fields() {
		dst = append(dst, " ,"[min(i, 1)])
		dst = append(dst, field.Name...)
		dst = append(dst, '=')
		switch value := field.Value.(type) {
		case int64:
			dst = append(strconv.AppendInt(dst, value, 10), 'i')
		case float64:
			dst = strconv.AppendFloat(dst, value, 'f', -1, 64)
		}
	}
	dst = append(dst, ' ')
	dst = strconv.AppendInt(dst, int64(p.Time)*nanosPerMilli, 10)
	return append(dst, '\n')
}
