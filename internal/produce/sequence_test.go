package produce

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/IBM/sarama"
)

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
