package main

import (
	"bytes"
	"strconv"
	"time"

	"github.com/IBM/sarama"

	"fintrans/internal/produce"
	"fintrans/internal/transaction"
)

// The record headers of a ring's transfers.
const (
	ringHeader      = "ring"           // the ring's number, decimal
	transfersHeader = "ring-transfers" // of the whole ring, decimal
)

// message is the record of one transaction, made again and again in the same
// buffer: at hundreds of thousands per second they would be most of the garbage.
type message struct {
	produce.Record
	topic int // of transaction.Cities
}

// fill makes m the record of a transaction that is sent now.
func (m *message) fill(p planned, now time.Time) {
	m.topic = p.city
	m.Value = p.AppendValue(m.Value[:0])
	m.Key = m.Value[:bytes.LastIndexByte(m.Value, ' ')] // the value is the key and the amount
	m.Time, m.Amount, m.Headers = now, int64(p.Amount), nil
	if p.ring != 0 {
		m.Headers = []*sarama.RecordHeader{
			decimalHeader(ringHeader, p.ring), decimalHeader(transfersHeader, uint64(p.transfers)),
		}
	}
}

func decimalHeader(key string, n uint64) *sarama.RecordHeader {
	return &sarama.RecordHeader{Key: []byte(key), Value: strconv.AppendUint(nil, n, 10)}
}

// cities are the topics, in the order of planned.city.
var cities = transaction.Cities()
