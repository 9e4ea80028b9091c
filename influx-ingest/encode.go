package main

import (
	"strconv"

	"github.com/influxdata/influxdb1-client/models"

	"fintrans/internal/transaction"
)

// Where the points are, as dashboards and queries know it.
const (
	measurement  = "transactions"
	tagCity      = "city"
	tagPartition = "partition"
)

// nanosPerMilli is also the number of records of one partition that can have
// the same millisecond and still be points of their own.
const nanosPerMilli = 1_000_000

// seriesKey is what every line of a partition begins with: measurement and
// tags, escaped, and a space.
func seriesKey(city string, partition int32) []byte {
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
