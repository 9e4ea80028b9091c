package main

import (
	"fintrans/internal/alert"
	"fintrans/internal/consume"
	"fintrans/internal/kafka"
	"fintrans/internal/pipeline"
	"fintrans/internal/service"
	"fintrans/internal/transaction"
)

// stream is one kind of records and what becomes of them. Each has a consumer group, a sink and writers of
// its own, so that none waits for another.
type stream struct {
	name    string // begins the names of loops and of reasons not to be ready; empty for the money
	prefix  string // of the metrics
	group   string
	topics  []string
	policy  policy // of retention
	writers int    // POSTs that may be under way at once
	lossy   bool   // what is not written when the service ends is no loss
	bad     *consume.BadRecords
	encoder func(topic string, partition int32) encoder
}

// encoder makes the points of the records of one claim.
type encoder interface {
	// read looks at a record. millis is the time of its point; bad is why there is none, nil where there is.
	read(record *kafka.Record, latest int64) (millis int64, bad consume.Reason)
	// appendPoint appends the line of the record that was read last to dst.
	appendPoint(dst []byte) []byte
}

// named is the name of a loop or of a reason not to be ready.
func (s stream) named(what string) string {
	if s.name == "" {
		return what
	}
	return s.name + " " + what
}

// money is the stream of the transactions of all cities.
func money(cfg config, rt *service.Runtime) stream {
	return stream{
		prefix:  prefix,
		group:   string(cfg.KafkaGroup),
		topics:  transaction.Cities(),
		policy:  hourPolicy,
		writers: 4,
		bad:     consume.NewBadRecords(prefix, transaction.Cities(), transaction.Reasons(), rt),
		encoder: func(topic string, partition int32) encoder {
			return &transactions{key: seriesKey(measurement, topic, partition)}
		},
	}
}

// alertStream is the stream of the alert topic.
func alertStream(cfg config, rt *service.Runtime) stream {
	const own = prefix + "_alerts"
	topics := []string{string(cfg.AlertsTopic)}
	return stream{
		name:    "alerts",
		prefix:  own,
		group:   string(cfg.KafkaGroup) + "-alerts",
		topics:  topics,
		policy:  monthPolicy,
		writers: 1,
		bad:     consume.NewBadRecords(own, topics, alert.Reasons(), rt),
		encoder: func(string, int32) encoder { return &alerts{} },
	}
}

// pipelineStream is the stream of the pipeline topic.
func pipelineStream(cfg config, rt *service.Runtime) stream {
	const own = prefix + "_pipeline"
	topics := []string{string(cfg.PipelineTopic)}
	return stream{
		name:    "pipeline",
		prefix:  own,
		group:   string(cfg.KafkaGroup) + "-pipeline",
		topics:  topics,
		policy:  hourPolicy,
		writers: 1,
		lossy:   true,
		bad:     consume.NewBadRecords(own, topics, alert.Reasons(), rt),
		encoder: func(string, int32) encoder { return &reports{} },
	}
}

// beside are the streams beside the money that are set.
func beside(cfg config, rt *service.Runtime) []stream {
	var list []stream
	if cfg.AlertsTopic != "" {
		list = append(list, alertStream(cfg, rt))
	}
	if cfg.PipelineTopic != "" {
		list = append(list, pipelineStream(cfg, rt))
	}
	return list
}

// transactions is the encoder of a city's partition.
type transactions struct {
	key  []byte
	last transaction.Transaction
	time int64
}

func (e *transactions) read(record *kafka.Record, latest int64) (int64, consume.Reason) {
	millis := record.Millis
	t, reason := transaction.Judge(record.Value, millis, latest)
	if reason != transaction.None {
		return millis, reason
	}
	e.last, e.time = t, pointTime(millis, record.Offset)
	return millis, nil
}

func (e *transactions) appendPoint(dst []byte) []byte { return appendPoint(dst, e.key, e.last, e.time) }

// alerts is the encoder of the alert topic. City, partition and time of a point are those of the transaction
// that set the alert off: however often the alert is in the topic, it is one point.
type alerts struct{ last alert.Alert }

func (e *alerts) read(record *kafka.Record, latest int64) (int64, consume.Reason) {
	a, reason := alert.Parse(record.Value)
	millis := int64(a.Time)
	switch {
	case reason != alert.None:
		return millis, reason
	case millis > latest:
		return millis, alert.Ahead
	}
	e.last = a
	return millis, nil
}

func (e *alerts) appendPoint(dst []byte) []byte { return appendAlert(dst, e.last) }

// reports is the encoder of the pipeline topic.
type reports struct{ last pipeline.Point }

func (e *reports) read(record *kafka.Record, latest int64) (int64, consume.Reason) {
	p, reason := pipeline.Parse(record.Value)
	millis := int64(p.Time)
	switch {
	case reason != alert.None:
		return millis, reason
	case millis > latest:
		return millis, alert.Ahead
	}
	e.last = p
	return millis, nil
}

func (e *reports) appendPoint(dst []byte) []byte { return appendReport(dst, e.last) }
