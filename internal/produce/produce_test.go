package produce

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/IBM/sarama"
	"github.com/sirupsen/logrus"
)

func TestRecordsArrive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newModel(t, map[string]int32{"London": 3, "NYC": 6})
		p := m.open(1000)
		defer finish(p)
		want := map[place][]string{}
		for n := range 100 {
			if !p.Append(n%2, record(n)) {
				t.Fatalf("record %d: no room", n)
			}
			at := placeOf([]string{"London", "NYC"}[n%2], n, []int32{3, 6}[n%2])
			want[at] = append(want[at], key(n))
		}
		synctest.Wait()
		if len(m.attempts) != 0 {
			t.Fatalf("got %v sent without a flush", m.attempts)
		}
		p.Flush()
		amount, records := int64(0), 0
		for records < 100 {
			b, keys := settled(t, p)
			at := place{b.Name, b.Partition}
			if b.Err != nil || !slices.Equal(keys, want[at]) || len(b.Times) != len(keys) {
				t.Errorf("%v: got %v, error %v, want %v", at, keys, b.Err, want[at])
			}
			records, amount = records+len(keys), amount+b.Amount
		}
		if amount != 700 || len(m.attempts) != len(want) {
			t.Errorf("got an amount of %d in %d batches, want 700 in %d", amount, len(m.attempts), len(want))
		}
		for at, keys := range want {
			if !slices.Equal(m.log(at), keys) {
				t.Errorf("%v: got %v in the log, want %v", at, m.log(at), keys)
			}
		}
		if trouble := p.Trouble(); trouble != nil {
			t.Errorf("got trouble %v", trouble)
		}
	})
}

// one opens a producer of one partition.
func one(t *testing.T) (*model, *Producer) {
	m := newModel(t, map[string]int32{"SF": 1})
	p := m.open(1000)
	return m, p
}

// send appends the n-th record and lets it go.
func send(t *testing.T, p *Producer, n int) {
	t.Helper()
	if !p.Append(0, record(n)) {
		t.Fatalf("record %d: no room", n)
	}
	p.Flush()
}

// times returns the fates in their order, and arrives after the last.
func times(fates ...fate) func(attempt) fate {
	return func(attempt) fate {
		if len(fates) == 0 {
			return arrives
		}
		next := fates[0]
		fates = fates[1:]
		return next
	}
}

func TestABatchKeepsItsNumber(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fates   []fate
		refusal sarama.KError
	}{
		"no leader":                   {[]fate{refused, refused, refused}, sarama.ErrLeaderNotAvailable},
		"not the leader":              {[]fate{refused}, sarama.ErrNotLeaderForPartition},
		"no topic":                    {[]fate{refused, refused}, sarama.ErrUnknownTopicOrPartition},
		"no replicas":                 {[]fate{refused, refused, refused, refused}, sarama.ErrNotEnoughReplicas},
		"replicas lost":               {[]fate{lostBack, refused}, sarama.ErrNotEnoughReplicasAfterAppend},
		"timed out":                   {[]fate{refused}, sarama.ErrRequestTimedOut},
		"damaged":                     {[]fate{refused}, sarama.ErrInvalidMessage},
		"disk":                        {[]fate{refused}, sarama.ErrKafkaStorageError},
		"no right":                    {[]fate{refused, refused}, sarama.ErrTopicAuthorizationFailed},
		"something else":              {[]fate{refused, refused}, sarama.ErrUnknown},
		"the request is lost":         {[]fate{lostThere, lostThere}, 0},
		"the answer is lost":          {[]fate{lostBack}, 0},
		"every answer is lost":        {[]fate{lostBack, lostBack, lostBack}, 0},
		"it comes after its retry":    {[]fate{late}, 0},
		"it was there all along":      {[]fate{lostBack, refused, refused}, sarama.ErrDuplicateSequenceNumber},
		"a broker that went mute":     {[]fate{lostThere, refused, lostBack, refused, lostThere}, sarama.ErrBrokerNotAvailable},
		"tried for longer than hours": {slices.Repeat([]fate{lostThere, refused}, 5000), sarama.ErrNotEnoughReplicas},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m, p := one(t)
				defer finish(p)
				for n := range 3 { // so that there is a number to keep
					send(t, p, n)
					settled(t, p)
				}
				m.set(func() { m.attempts, m.refusal, m.fate = nil, test.refusal, times(test.fates...) })
				p.Append(0, record(3))
				send(t, p, 4) // both in one batch
				var got []string
				for len(got) < 2 {
					b, keys := settled(t, p)
					if b.Err != nil {
						t.Errorf("got error %v", b.Err)
					}
					got = append(got, keys...)
				}
				<-time.After(time.Minute) // for what is late
				if want := []string{key(0), key(1), key(2), key(3), key(4)}; !slices.Equal(m.log(place{"SF", 0}), want) {
					t.Errorf("got %v in the log, want %v", m.log(place{"SF", 0}), want)
				}
				want := len(test.fates) + 1
				if test.refusal == sarama.ErrDuplicateSequenceNumber {
					want = 2 // it is the acknowledgement
				}
				if len(m.attempts) != want {
					t.Errorf("got %d attempts, want %d", len(m.attempts), want)
				}
				for _, a := range m.attempts {
					if a != m.attempts[0] || a.first != 3 {
						t.Fatalf("got attempt %+v after %+v", a, m.attempts[0])
					}
				}
				if p.Trouble() != nil {
					t.Errorf("got trouble %v", p.Trouble())
				}
			})
		})
	}
}

// A leader that does not know what came before has lost it. The batch is written
// under another producer id, unless it may be there.
func TestALeaderThatHasLostTheSequence(t *testing.T) {
	t.Parallel()
	for name, refusal := range map[string]sarama.KError{
		"out of order": sarama.ErrOutOfOrderSequenceNumber, "unknown producer": sarama.ErrUnknownProducerID,
		"epoch": sarama.ErrInvalidProducerEpoch, "fenced": sarama.ErrProducerFenced, "mapping": sarama.ErrInvalidProducerIDMapping,
	} {
		for _, doubtful := range []fate{refused, lostThere, lostBack} {
			t.Run(fmt.Sprintf("%s %d", name, doubtful), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					m, p := one(t)
					defer finish(p)
					send(t, p, 0)
					settled(t, p)
					fates := []fate{doubtful, refused}
					if doubtful == refused {
						fates = fates[1:]
					}
					m.set(func() { m.strict, m.refusal, m.fate = true, refusal, times(fates...) })
					send(t, p, 1)
					b, _ := settled(t, p)
					if given := b.Err != nil; given != (doubtful != refused) || given && !errors.Is(b.Err, refusal) {
						t.Errorf("got error %v", b.Err)
					}
					send(t, p, 2)
					if b, keys := settled(t, p); b.Err != nil || keys[0] != key(2) {
						t.Errorf("got %v, error %v afterwards", keys, b.Err)
					}
					want := []string{key(0), key(1), key(2)}
					if doubtful == lostThere {
						want = []string{key(0), key(2)}
					}
					if got := m.log(place{"SF", 0}); !slices.Equal(got, want) {
						t.Errorf("got %v in the log, want %v", got, want)
					}
					if last := m.attempts[len(m.attempts)-1]; last.id == m.attempts[0].id {
						t.Errorf("got attempt %+v, want another producer", last)
					}
				})
			})
		}
	}
}

// What a broker says of the batch itself does not change when it is repeated.
func TestABatchThatIsWrongIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, p := one(t)
		defer finish(p)
		m.set(func() { m.refusal, m.fate = sarama.ErrMessageSizeTooLarge, times(refused) })
		send(t, p, 0)
		if b, keys := settled(t, p); !errors.Is(b.Err, sarama.ErrMessageSizeTooLarge) || keys[0] != key(0) {
			t.Errorf("got %v, error %v", keys, b.Err)
		}
		if !errors.Is(p.Trouble(), sarama.ErrMessageSizeTooLarge) {
			t.Errorf("got trouble %v", p.Trouble())
		}
		send(t, p, 1)
		if b, _ := settled(t, p); b.Err != nil || p.Trouble() != nil {
			t.Errorf("got error %v, trouble %v afterwards", b.Err, p.Trouble())
		}
	})
}

// Without a fresh producer id nothing is sent to the partition that needs one; the others go on.
func TestNoFreshProducerID(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newModel(t, map[string]int32{"Moscow": 1, "SF": 1})
		p := m.open(1000)
		defer finish(p)
		m.set(func() {
			m.refusal, m.fate, m.idErr = sarama.ErrUnknownProducerID, times(refused), sarama.ErrOutOfBrokers
		})
		send(t, p, 0) // to Moscow
		<-time.After(time.Minute)
		if !errors.Is(p.Trouble(), sarama.ErrOutOfBrokers) || len(m.attempts) != 1 {
			t.Errorf("got trouble %v after %d attempts", p.Trouble(), len(m.attempts))
		}
		p.Append(1, record(1))
		p.Flush()
		if b, _ := settled(t, p); b.Name != "SF" || b.Err != nil {
			t.Errorf("got %s, error %v", b.Name, b.Err)
		}
		m.set(func() { m.idErr = nil })
		if b, _ := settled(t, p); b.Name != "Moscow" || b.Err != nil {
			t.Errorf("got %s, error %v", b.Name, b.Err)
		}
	})
}

// sarama forgets brokers that do not answer, and looks for them only to refresh its metadata.
func TestBrokersAreFoundAgainForAProducerID(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, p := one(t)
		defer finish(p)
		m.set(func() {
			m.refusal, m.fate, m.idErr = sarama.ErrUnknownProducerID, times(refused), sarama.ErrOutOfBrokers
			m.refreshed = func() { m.idErr = nil }
		})
		send(t, p, 0)
		if b, _ := settled(t, p); b.Err != nil {
			t.Errorf("got error %v", b.Err)
		}
	})
}

func TestTheLeaderMoves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, p := one(t)
		defer finish(p)
		at := place{"SF", 0}
		send(t, p, 0)
		settled(t, p)
		m.set(func() { m.leaders[at] = -1 })
		send(t, p, 1)
		<-time.After(time.Minute)
		if len(p.Settled()) != 0 || !errors.Is(p.Trouble(), sarama.ErrLeaderNotAvailable) {
			t.Errorf("without a leader: got %d batches settled, trouble %v", len(p.Settled()), p.Trouble())
		}
		m.set(func() { m.leaders[at] = 7 })
		settled(t, p)
		send(t, p, 2)
		settled(t, p)
		if want := []string{key(0), key(1), key(2)}; !slices.Equal(m.log(at), want) {
			t.Errorf("got %v in the log, want %v", m.log(at), want)
		}
		if last := m.attempts[len(m.attempts)-1]; last.broker != 7 || last.first != 2 {
			t.Errorf("got %+v at last", last)
		}
	})
}

// Why a topic's leaders are not known is for whoever reads /ready to act on.
func TestLeadersThatAreNotKnown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newModel(t, map[string]int32{"SF": 1})
		m.ledErr = fmt.Errorf("SF: %w", sarama.ErrTopicAuthorizationFailed)
		p := m.open(1000)
		defer finish(p)
		send(t, p, 0)
		<-time.After(time.Minute)
		if !errors.Is(p.Trouble(), sarama.ErrTopicAuthorizationFailed) {
			t.Errorf("got trouble %v", p.Trouble())
		}
		m.set(func() { m.ledErr = nil })
		if b, _ := settled(t, p); b.Err != nil {
			t.Errorf("got error %v", b.Err)
		}
	})
}

// What fails for long is said, now and then, and only of partitions that have something to send.
func TestAPartitionThatFailsForLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newModel(t, map[string]int32{"Moscow": 1, "SF": 1})
		m.leaders[place{"Moscow", 0}], m.leaders[place{"SF", 0}] = -1, -1
		var out strings.Builder
		log := logrus.New()
		log.SetOutput(&out)
		p, err := open(m, []string{"Moscow", "SF"}, 1000, log)
		if err != nil {
			t.Fatal(err)
		}
		defer finish(p)
		<-time.After(time.Hour)
		synctest.Wait()
		if p.Trouble() != nil || out.Len() != 0 {
			t.Errorf("with nothing to send: got trouble %v, log\n%s", p.Trouble(), &out)
		}
		send(t, p, 0) // to Moscow
		<-time.After(10*time.Minute + 30*time.Second)
		synctest.Wait()
		lines := strings.Count(out.String(), "level=warning")
		if of := strings.Count(out.String(), "partition=0 "); lines < 9 || lines > 11 || of != lines || strings.Contains(out.String(), "topic=SF") {
			t.Errorf("got log\n%s", &out)
		}
		m.set(func() { clear(m.leaders) })
		settled(t, p)
		if p.Trouble() != nil {
			t.Errorf("got trouble %v afterwards", p.Trouble())
		}
	})
}

// Records that come while a request is under way wait for it, and go together.
func TestBatchesGrowWhileOneIsUnderWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, p := one(t)
		defer finish(p)
		for n := range 20 {
			send(t, p, n)
			synctest.Wait()
		}
		if _, keys := settled(t, p); len(keys) != 1 {
			t.Errorf("got %v first, want the first record", keys)
		}
		if _, keys := settled(t, p); len(keys) != 19 {
			t.Errorf("got %v then, want all the others", keys)
		}
		if len(m.attempts) != 2 {
			t.Errorf("got %d requests, want 2", len(m.attempts))
		}
	})
}

func TestRoomIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newModel(t, map[string]int32{"SF": 1})
		p := m.open(10)
		defer finish(p)
		for n := range 10 {
			send(t, p, n)
		}
		if p.Append(0, record(10)) {
			t.Error("there was room for 11 records of 10")
		}
		b := <-p.Settled()
		if p.Append(0, record(10)) {
			t.Error("there was room before it was released")
		}
		p.Release(b)
		if !p.Append(0, record(10)) {
			t.Error("there was no room after it was released")
		}
	})
}

// What is free keeps its own buffers and nothing else: many are free after a peak.
func TestAFreeBatchKeepsNothingOfOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, p := one(t)
		defer finish(p)
		r := record(1)
		r.Headers = []*sarama.RecordHeader{{Key: []byte("ring"), Value: []byte("1")}}
		p.Append(0, r)
		p.Flush()
		b := <-p.Settled()
		if b.records.Records == nil || b.headers[0].all == nil {
			t.Fatalf("got batch %+v", b)
		}
		p.Release(b)
		if b.records.Records != nil || b.headers[0].all != nil || cap(b.bytes) == 0 {
			t.Errorf("got free batch %+v", b)
		}
	})
}

// A batch stays below what brokers take, and what is full goes without a flush.
func TestABatchIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newModel(t, map[string]int32{"SF": 1})
		p := m.open(1 << 30)
		defer finish(p)
		r := record(1)
		r.Value = bytes.Repeat([]byte{'x'}, 1000)
		r.Headers = []*sarama.RecordHeader{{Key: []byte("ring"), Value: bytes.Repeat([]byte{'1'}, 1000)}}
		n := 0
		for p.Append(0, r) {
			n++
		}
		if n != maxBatchBytes/r.size() {
			t.Errorf("got %d records in a batch, want %d", n, maxBatchBytes/r.size())
		}
		if b, keys := settled(t, p); len(keys) != n || len(b.headers) != n {
			t.Errorf("got %d records settled, want %d with a header", len(keys), n)
		}
		if !p.Append(0, r) {
			t.Error("no room afterwards")
		}
		huge := record(2)
		huge.Value = make([]byte, 2*maxBatchBytes)
		if p.Append(0, huge) {
			t.Error("a huge record went together with another")
		}
		settled(t, p)
		if !p.Append(0, huge) {
			t.Error("a huge record cannot go alone")
		}
	})
}

func TestPartitionsAreAdded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, p := one(t)
		defer finish(p)
		send(t, p, 0)
		settled(t, p)
		m.set(func() { m.counts["SF"] = 6 })
		<-time.After(lookEvery)
		p.Flush()
		synctest.Wait()
		for n := 1; n < 50; n++ {
			send(t, p, n)
			b, _ := settled(t, p)
			if at := (place{b.Name, b.Partition}); at != placeOf("SF", n, 6) || b.Err != nil {
				t.Fatalf("record %d: got %v, error %v, want %v", n, at, b.Err, placeOf("SF", n, 6))
			}
		}
		m.set(func() { m.counts["SF"] = 0 }) // as if nobody knew
		<-time.After(lookEvery)
		p.Flush()
		synctest.Wait()
		send(t, p, 50)
		m.set(func() { m.counts["SF"] = 6 })
		if b, _ := settled(t, p); b.Partition != placeOf("SF", 50, 6).number {
			t.Errorf("got partition %d", b.Partition)
		}
	})
}

// A topic that is made again with fewer partitions gets its records by the new count.
func TestPartitionsAreFewer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newModel(t, map[string]int32{"SF": 6})
		p := m.open(1000)
		defer finish(p)
		m.set(func() { m.counts["SF"] = 2 })
		<-time.After(lookEvery)
		p.Flush()
		synctest.Wait()
		for n := range 20 {
			send(t, p, n)
			if b, _ := settled(t, p); b.Partition != placeOf("SF", n, 2).number || b.Err != nil {
				t.Errorf("record %d: got partition %d, error %v", n, b.Partition, b.Err)
			}
		}
	})
}

// What is in flight to a partition that is gone does not stay so for ever; a broker may report too few for a moment.
func TestAPartitionThatIsGone(t *testing.T) {
	t.Parallel()
	for _, gone := range []time.Duration{30 * time.Second, 5 * time.Minute} {
		t.Run(gone.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := newModel(t, map[string]int32{"SF": 6})
				at := place{"SF", 5}
				m.leaders[at] = -1
				p := m.open(1000)
				defer finish(p)
				var sent []string
				for n := 0; len(sent) < 2; n++ {
					if placeOf("SF", n, 6) == at {
						send(t, p, n)
						sent = append(sent, key(n))
					}
				}
				flushing := func(d time.Duration) {
					for range d / lookEvery {
						<-time.After(lookEvery)
						p.Flush()
					}
				}
				flushing(5 * time.Minute) // however long it was without a leader
				m.set(func() { m.counts["SF"] = 1 })
				flushing(gone)
				m.set(func() { m.counts["SF"], m.leaders[at] = 6, 0 })
				b, keys := settled(t, p)
				if given := gone > gonePatience; !slices.Equal(keys, sent) || given != errors.Is(b.Err, sarama.ErrUnknownTopicOrPartition) {
					t.Errorf("got %v settled, error %v, want %v", keys, b.Err, sent)
				}
				flushing(time.Minute)
				send(t, p, 1000)
				if b, _ := settled(t, p); b.Err != nil || p.held != 0 || p.Trouble() != nil {
					t.Errorf("got error %v, %d records held, trouble %v", b.Err, p.held, p.Trouble())
				}
			})
		})
	}
}

// Nobody may be there to take what is given up.
func TestClosedWhileAPartitionIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newModel(t, map[string]int32{"SF": 2 * settledBuffer})
		for n := range m.counts["SF"] {
			m.leaders[place{"SF", n}] = -1
		}
		p := m.open(10_000)
		for n := range 1000 {
			send(t, p, n)
		}
		m.set(func() { m.counts["SF"] = 1 })
		for range (gonePatience + 4*retry.Max) / lookEvery {
			<-time.After(lookEvery)
			p.Flush()
		}
		if len(p.Settled()) != settledBuffer {
			t.Errorf("got %d batches settled", len(p.Settled()))
		}
		finish(p)
	})
}

// Close does not wait for a broker that says nothing; the test would not end if something were left behind.
func TestASilentBroker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, p := one(t)
		m.set(func() { m.fate = func(attempt) fate { return unanswered } })
		send(t, p, 0)
		<-time.After(time.Hour)
		send(t, p, 1)
		synctest.Wait()
		if len(m.attempts) != 1 || len(p.Settled()) != 0 {
			t.Errorf("got %d attempts, %d batches settled", len(m.attempts), len(p.Settled()))
		}
		p.Close()
		p.Close()
		synctest.Wait()
		if len(p.Settled()) != 0 {
			t.Error("a batch was settled that nobody knows about")
		}
	})
}

func TestOpenSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	m := newModel(t, map[string]int32{"SF": 1})
	m.idErr = sarama.ErrClusterAuthorizationFailed
	if _, err := open(m, []string{"SF"}, 1, nil); !errors.Is(err, sarama.ErrClusterAuthorizationFailed) {
		t.Errorf("without a producer id: got error %v", err)
	}
	m.idErr = nil
	if _, err := open(m, []string{"SF", "NYC"}, 1, nil); !errors.Is(err, sarama.ErrUnknownTopicOrPartition) {
		t.Errorf("without a topic: got error %v", err)
	}
}

func TestAppendDoesNotAllocate(t *testing.T) { // alone: AllocsPerRun counts the whole process
	m := newModel(t, map[string]int32{"SF": 1})
	part := &partition{topic: &topic{name: "SF"}}
	p := &Producer{cluster: m, limit: 1 << 30, topics: []*topic{{name: "SF", count: 1, partitions: []*partition{part}}}}
	r := record(1)
	fill := func() {
		for range 1000 {
			p.Append(0, r)
		}
		b := part.open
		part.open = nil
		p.Release(b)
	}
	fill()
	if n := testing.AllocsPerRun(10, fill); n != 0 {
		t.Errorf("%v allocations for 1000 records", n)
	}
}

func TestSequenceNumbersBeginAgainAfterTheLast(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		first int32
		n     int
		want  int32
	}{{0, 1, 1}, {5, 1000, 1005}, {1<<31 - 2, 1, 1<<31 - 1}, {1<<31 - 1, 1, 0}, {1<<31 - 5, 10, 5}} {
		if got := following(test.first, test.n); got != test.want {
			t.Errorf("after %d records from %d: got %d, want %d", test.n, test.first, got, test.want)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	part := &partition{topic: &topic{name: "SF"}}
	p := &Producer{limit: 1 << 30, topics: []*topic{{name: "SF", count: 1, partitions: []*partition{part}}}}
	r := record(1)
	b.ReportAllocs()
	for b.Loop() {
		p.Append(0, r)
		if part.open.Len() == 500 {
			full := part.open
			part.open = nil
			p.Release(full)
		}
	}
}
