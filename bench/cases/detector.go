package cases

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"fintrans/bench/measure"
	"fintrans/bench/peers"
	"fintrans/bench/records"
	"fintrans/bench/report"
	"fintrans/bench/scene"
	"fintrans/internal/transaction"
)

const (
	// patience is for what never takes long, unless something is wrong.
	patience = 2 * time.Minute
	// grace is for the drain of a service.
	grace = 12 * time.Second
	// span is the age of a set's oldest transaction: within the window of an hour for as long as the bench takes.
	span = 40 * time.Minute
)

// fewPairs and manyPairs are sets of as many transactions as wanted. The many are those of the generator's 1,000
// accounts.
func fewPairs(s *scene.Scene) records.Set {
	return records.Set{Count: s.Records, Sources: 80, Targets: 125, Newest: time.Now(), Span: span}
}

func manyPairs(s *scene.Scene) records.Set {
	return records.Set{Count: s.Records, Sources: 1000, Targets: 1000, Newest: time.Now(), Span: span}
}

// detectorCase compares the detector with consumers that only count.
func detectorCase(ctx context.Context, s *scene.Scene) (Outcome, error) {
	out := Outcome{Section: report.Section{
		Title: "laundering-detector",
		Text: "Reading topics that are full (" + records.Grouped(s.Records) + " transactions), with a window of an hour into which all\n" +
			"of them fall, against a consumer group of the same library that only counts, and fetches 1 MiB of a partition at a time\n" +
			"as the library does unless it is told otherwise; and against Kafka's own ConsumerPerformance, whose CPU includes the\n" +
			"start of the JVM. No pair is over the threshold.",
	}}
	for _, wanted := range []struct {
		set   records.Set
		pairs string
		ratio float64
		many  bool
	}{{fewPairs(s), "10,000", 0.85, false}, {manyPairs(s), "999,000", 0.7, true}} {
		c, err := detectorOn(ctx, s, wanted.set, wanted.many)
		if err != nil {
			return out, err
		}
		out.Section.Tables = append(out.Section.Tables, titled(c.tables(), wanted.pairs+" pairs")...)
		out.Targets = append(out.Targets,
			atLeast("laundering-detector, transactions/s, "+wanted.pairs+" pairs", "bare consumer", wanted.ratio, c.ratio(1, speed)))
		if wanted.many {
			out.Targets = append(out.Targets, atLeast("laundering-detector, transactions per CPU-second, "+wanted.pairs+" pairs", "-",
				600_000, 1e6/c.median(0, cost)))
		}
	}
	return out, nil
}

// titled puts a title into the corner of the first table.
func titled(tables []report.Table, title string) []report.Table {
	tables[0].Header[0] = title
	return tables
}

// detectorOn compares on one set, with Kafka's own tool as well where that is wanted.
func detectorOn(ctx context.Context, s *scene.Scene, set records.Set, tool bool) (*comparison, error) {
	k, err := warm(ctx, s, set)
	if err != nil {
		return nil, err
	}
	defer k.Close()
	list := []contestant{
		{"laundering-detector", func(ctx context.Context) (measure.Figures, error) {
			return consumeAll(ctx, s, k, scene.Detector, "laundering_detector_records_total", set.Count)
		}},
		bareConsumer(s, k, set.Count),
	}
	if tool {
		list = append(list, contestant{"ConsumerPerformance", func(ctx context.Context) (measure.Figures, error) {
			return peers.ConsumerPerformance(ctx, s, k.Broker(), strings.Join(transaction.Cities(), "|"), set.Count)
		}})
	}
	return compare(ctx, s, list...)
}

func bareConsumer(s *scene.Scene, k *scene.Kafka, total int64) contestant {
	return contestant{"bare consumer", func(ctx context.Context) (measure.Figures, error) {
		return consumeAll(ctx, s, k, scene.Bare, "bare_records_total", total)
	}}
}

// warmUps is how often what is in a broker is read before anything is measured, and warmUpFetch with how many bytes of a
// partition at a time. The first readings cost the broker ten times as much as the later ones: its virtual machine
// compiles what is asked often, on the cores that it shares with whoever reads. So it is asked often.
const (
	warmUps     = 3
	warmUpFetch = "FETCH_BYTES=16384"
)

// warm starts an Apache Kafka with the set in it, and has it read: else whoever comes first would find a slow broker.
func warm(ctx context.Context, s *scene.Scene, set records.Set) (*scene.Kafka, error) {
	k, err := s.Filled(ctx, set)
	if err != nil {
		return nil, err
	}
	for range warmUps {
		if _, err := consumeAll(ctx, s, k, scene.Bare, "bare_records_total", set.Count, warmUpFetch); err != nil {
			return nil, errors.Join(err, k.Close())
		}
	}
	return k, nil
}

// consumeAll measures a consumer with a new group from its first record to the last of the topics.
func consumeAll(ctx context.Context, s *scene.Scene, k *scene.Kafka, program, metric string, total int64, settings ...string) (measure.Figures, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 10*time.Minute, fmt.Errorf("%s was too slow", program))
	defer cancel()
	settings = append(settings, "BROKER="+k.Broker(), "KAFKA_GROUP="+s.Name(program))
	p, err := s.Start(program, nil, settings...)
	if err != nil {
		return measure.Figures{}, err
	}
	defer p.Stop(grace)
	url, err := p.URL(ctx)
	if err != nil {
		return measure.Figures{}, err
	}
	return measure.Run(ctx, []*measure.Process{p}, total, measure.Counted(metric, url))
}
