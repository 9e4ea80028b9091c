package produce

import (
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
