package main

import (
	"strconv"
	"time"

	"github.com/IBM/sarama"

	"fintrans/internal/transaction"
)

// The record headers of a ring's transfers.
const (
	ringHeader      = "ring"           // the ring's number, decimal
	transfersHeader = "ring-transfers" // of the whole ring, decimal
)

// message is one transaction on its way. It is used again after its
// acknowledgement, with its buffers: at hundreds of thousands per second they
// would be most of the garbage.
type message struct {
	sarama.ProducerMessage
	planned
	sentAt     time.Time
	key, value text
	headers    [2]sarama.RecordHeader
}

// text is a sarama.Encoder of bytes that does not need to be allocated anew.
type text []byte

func (t *text) Encode() ([]byte, error) { return *t, nil }
func (t *text) Length() int             { return len(*t) }

// fill makes m the record of a transaction that is sent now.
func (m *message) fill(p planned, now time.Time) {
	m.planned, m.sentAt = p, now
	m.key = p.Pair().AppendKey(m.key[:0])
	m.value = p.AppendValue(m.value[:0])
	m.ProducerMessage = sarama.ProducerMessage{
		Topic: cities[p.city], Key: &m.key, Value: &m.value, Timestamp: now, Metadata: m,
	}
	if p.ring != 0 {
		m.headers[0] = decimalHeader(ringHeader, p.ring)
		m.headers[1] = decimalHeader(transfersHeader, uint64(p.transfers))
		m.Headers = m.headers[:]
	}
}

func decimalHeader(key string, n uint64) sarama.RecordHeader {
	return sarama.RecordHeader{Key: []byte(key), Value: strconv.AppendUint(nil, n, 10)}
}

// cities are the topics, in the order of planned.city.
var cities = transaction.Cities()
