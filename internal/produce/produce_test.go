package produce

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/IBM/sarama"
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
