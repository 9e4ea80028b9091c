package produce

import (
	"time"

	"github.com/IBM/sarama"
)

const (
	// maxBatchBytes bounds a batch well below what a broker takes by default (message.max.bytes, 1 MiB).
	maxBatchBytes = 256 << 10
	// recordOverhead is what a record takes beside its key, value and headers: the varints of its lengths, its time and its offset.
	recordOverhead = 24
	// headerOverhead is the same for a header.
	headerOverhead = 4
	// recordBatchVersion is the format of batches since Kafka 0.11.
	recordBatchVersion = 2
)

// Record is what is sent.
type Record struct {
	Key, Value []byte                 // copied
	Headers    []*sarama.RecordHeader // kept until the batch is released
	Time       time.Time              // of the record, in milliseconds, and in Batch.Times as it is
	Amount     int64                  // adds up to Batch.Amount
}

// Batch is a number of records of one partition that are acknowledged, or given
// up, together. Whoever gets it from Producer.Settled may read it until it is
// released.
type Batch struct {
	Topic     int    // index into those given to Open
	Name      string // of the topic
	Partition int32
	Times     []time.Time // of the records, in their order
	Amount    int64       // sum of the records'
	Err       error       // why the batch was given up: it may or may not be in Kafka; nil: it is acknowledged

	// What sarama takes for a record is several times its size, so there are only as many of those as a
	// request has. Here is what they are made of.
	bytes   []byte // keys and values, one after the other
	ends    []end  // of the records' in bytes
	headers []headers

	size     int // in the request, at most
	records  sarama.RecordBatch
	doubtful bool // an attempt has ended without an answer that says that nothing was written
}

// end is where a record's key and its value end.
type end struct{ key, value int32 }

// headers are those of the record with the number.
type headers struct {
	record int
	all    []*sarama.RecordHeader
}

// Len is the number of records.
func (b *Batch) Len() int { return len(b.Times) }

// drop lets go of what the batch's own buffers do not hold: the headers, and the request that sarama has made of it.
func (b *Batch) drop() {
	clear(b.headers)
	b.records = sarama.RecordBatch{}
}

// reset empties the batch for a partition. Its buffers stay.
func (b *Batch) reset(part *partition) {
	*b = Batch{
		Topic: part.topic.index, Name: part.topic.name, Partition: part.number,
		Times: b.Times[:0], bytes: b.bytes[:0], ends: b.ends[:0], headers: b.headers[:0],
	}
}

func (r *Record) size() int {
	size := recordOverhead + len(r.Key) + len(r.Value)
	for _, h := range r.Headers {
		size += headerOverhead + len(h.Key) + len(h.Value)
	}
	return size
}

// fits tells whether there is room for the record. An empty batch takes any.
func (b *Batch) fits(r *Record) bool { return b.size == 0 || b.size+r.size() <= maxBatchBytes }

// add copies a record.
func (b *Batch) add(r *Record) {
	if len(r.Headers) > 0 {
		b.headers = append(b.headers, headers{b.Len(), r.Headers})
	}
	b.bytes = append(b.bytes, r.Key...)
	key := int32(len(b.bytes))
	b.bytes = append(b.bytes, r.Value...)
	b.ends = append(b.ends, end{key, int32(len(b.bytes))})
	b.Times = append(b.Times, r.Time)
	b.size += r.size()
	b.Amount += r.Amount
}

// number closes the batch and gives it its place in the sequence of a producer
// and partition.
func (b *Batch) number(id identity, first int32) {
	b.records.ProducerID, b.records.ProducerEpoch, b.records.FirstSequence = id.producer, id.epoch, first
}

// write makes the records of a request of into, which has room for all of them.
func (b *Batch) write(into []*sarama.Record) {
	first := b.Times[0].Truncate(time.Millisecond)
	var latest time.Duration
	from := int32(0)
	for i, end := range b.ends {
		after := b.Times[i].Truncate(time.Millisecond).Sub(first)
		latest = max(latest, after)
		*into[i] = sarama.Record{
			TimestampDelta: after, OffsetDelta: int64(i), Key: b.bytes[from:end.key], Value: b.bytes[end.key:end.value],
		}
		from = end.value
	}
	for _, h := range b.headers {
		into[h.record].Headers = h.all
	}
	r := &b.records
	r.Version, r.Records, r.LastOffsetDelta = recordBatchVersion, into, int32(len(into)-1)
	r.FirstTimestamp, r.MaxTimestamp = first, first.Add(latest)
}
