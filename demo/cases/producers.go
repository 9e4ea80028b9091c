package cases

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"fintrans/demo/harness"
)

// producers are the cases of what producers may do to a topic that is all right.
func producers() []Case {
	return []Case{{"EveryCodecIsRead", EveryCodecIsRead}}
}

// EveryCodecIsRead sends batches in each of Kafka's codecs, and records with headers: all of them are points, and
// count in the window, also in one that is read back.
func EveryCodecIsRead(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	in, det := s.Start(ingest, quick), s.Start(detector, rules(tenMinutes, 10*time.Minute))
	codecs := []kgo.CompressionCodec{
		kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression(),
	}
	records := recent.transactions()
	var sent []harness.Record
	parts := slices.Collect(slices.Chunk(records, len(records)/len(codecs)+1))
	for i, codec := range codecs {
		produceWith(t, s, parts[i], kgo.ProducerBatchCompression(codec))
		sent = append(sent, parts[i]...)
		killWhenDone(s, det, sent)
	}
	settleAfterKills(t, in, det, sent)
}

// killWhenDone kills the detector when both consumers have dealt with all that was sent: its next life reads that back.
func killWhenDone(s *harness.System, det *harness.Process, sent []harness.Record) {
	s.AwaitVolumes(volumes(sent))
	s.AwaitCommitted(detector, harness.Cities()...)
	det.Kill()
	det.Restart()
}

// settleAfterKills ends both consumers and judges the alerts of all of the detector's lives.
func settleAfterKills(t testing.TB, in, det *harness.Process, sent []harness.Record) {
	t.Helper()
	term(t, in)
	det.AwaitReady()
	term(t, det)
	report(t, tenMinutes.Check(alerts(t, det), transfers(sent)))
}

// produceWith sends the records, each partition's in their order, by a producer with these options.
func produceWith(t testing.TB, s *harness.System, records []harness.Record, options ...kgo.Opt) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	defer cancel()
	client, err := kgo.NewClient(append(options, kgo.SeedBrokers(s.Kafka.Addrs()...), kgo.RecordPartitioner(harness.Partitioner()),
		kgo.ProducerLinger(20*time.Millisecond))...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	outgoing := make([]*kgo.Record, len(records))
	for i, r := range records {
		outgoing[i] = &kgo.Record{
			Topic: r.City, Partition: r.Partition, Key: r.Key, Value: r.Value, Timestamp: r.Time,
			Headers: []kgo.RecordHeader{{Key: "trace", Value: fmt.Append(nil, i)}, {Key: "", Value: nil}},
		}
		for name, value := range r.Headers {
			outgoing[i].Headers = append(outgoing[i].Headers, kgo.RecordHeader{Key: name, Value: []byte(value)})
		}
	}
	if err := client.ProduceSync(ctx, outgoing...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// PartitionsAreAdded adds partitions to all five topics, and to the alert topic before, while money flows: every
// transaction is one point, and pairs alert that begin afterwards. It needs impatient services: others
// look for new partitions every half minute.
func PartitionsAreAdded(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{Partitions: 2})
	s.CreateTopics(2, alertsTo)
	in, det := s.Start(ingest, publishing(quick)), s.Start(detector, publishing(rules(tenMinutes, 10*time.Minute)))
	records := recent.transactions()
	half := len(records) / 2
	s.Produce(records[:half]...)
	s.AwaitVolumes(volumes(records[:half]))
	s.AwaitCommitted(detector, harness.Cities()...)
	s.AddPartitions(3, alertsTo)
	s.AddPartitions(3, harness.Cities()...)
	awaitPartitions(t, in, "0,1,2,3,4")
	awaitPartitions(t, det, "0,1,2,3,4")
	s.Produce(records[half:]...)
	now := time.UnixMilli(time.Now().UnixMilli())
	var fresh []harness.Record
	for partition := range int32(5) {
		pair := pairsOf(5, partition, 1)[0]
		fresh = append(fresh, transfer("London", now, pair, 6000), transfer("Tokyo", now, pair, 6000))
	}
	s.Produce(fresh...)
	s.AwaitVolumes(volumes(append(slices.Clone(records), fresh...)))
	s.AwaitCommitted(detector, harness.Cities()...)
	term(t, det)
	for partition := range int32(5) {
		if pair := pairsOf(5, partition, 1)[0]; linesOf(t, det, pair) != 1 {
			t.Errorf("partition %d: %d alerts of a pair that began when it was there, want 1", partition, linesOf(t, det, pair))
		}
	}
	different, _ := once(published(t, s))
	awaitAlertPoints(t, s, different)
	term(t, in)
}

// awaitPartitions waits until the instance has these partitions of London.
func awaitPartitions(t testing.TB, p *harness.Process, want string) {
	t.Helper()
	harness.Eventually(t, func() (bool, string) {
		for _, session := range slices.Backward(sessions(p)) {
			if got := session.partitions("London"); got != "" {
				return got == want, fmt.Sprintf("%v has %s of London, want %s", p, got, want)
			}
		}
		return false, "no session"
	})
}
