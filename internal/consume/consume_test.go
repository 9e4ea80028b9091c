package consume

import (
	"context"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/IBM/sarama"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/sirupsen/logrus"
	"go.uber.org/goleak"

	"fintrans/internal/kafka"
	"fintrans/internal/service"
	"fintrans/internal/transaction"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func testRuntime() *service.Runtime {
	log := logrus.New()
	log.SetOutput(io.Discard)
	return service.NewRuntime("consume", log, io.Discard)
}

// fakeClaim is a claim whose log a test makes up.
type fakeClaim struct {
	sarama.ConsumerGroupClaim
	topic     string
	partition int32
	initial   int64
	high      int64
}

func (c *fakeClaim) Topic() string              { return c.topic }
func (c *fakeClaim) Partition() int32           { return c.partition }
func (c *fakeClaim) InitialOffset() int64       { return c.initial }
func (c *fakeClaim) HighWaterMarkOffset() int64 { return c.high }

// slowCommits takes a while for each commit, until released.
type slowCommits struct {
	begun   chan struct{}
	release chan struct{}
	count   atomic.Int32
}

func (s *slowCommits) Commit() {
	s.count.Add(1)
	s.begun <- struct{}{}
	<-s.release
}

// A claim that asks for a commit goes on: a broker may take its time for it, and an alert of the next
// record would wait with it.
func TestCommitsAskedForTogetherAreOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sess := &slowCommits{begun: make(chan struct{}), release: make(chan struct{})}
		c := newCommitter(sess, testRuntime().Health.Loop("commit"))
		ask := func() { c.commit(context.Background(), func() {}) }
		ask()
		<-sess.begun
		for range 5 { // all of them come too late for the first
			ask()
		}
		sess.release <- struct{}{}
		<-sess.begun
		sess.release <- struct{}{}
		synctest.Wait()
		c.stop()
		if got := sess.count.Load(); got != 2 {
			t.Errorf("got %d commits for 6 asks, want 2", got)
		}
	})
}

// What is dealt with while a commit is under way is read again after a kill: that has to stay little.
func TestClaimsWaitForACommitThatIsOverdue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sess := &slowCommits{begun: make(chan struct{}, 10), release: make(chan struct{})}
		c := newCommitter(sess, testRuntime().Health.Loop("commit"))
		asked := make(chan int, 10)
		ask := func(n int) {
			c.commit(context.Background(), func() {})
			asked <- n
		}
		expect := func(what string, want int) {
			t.Helper()
			synctest.Wait()
			if len(asked) != want {
				t.Errorf("%s: %d claims go on, want %d", what, len(asked), want)
			}
		}
		ask(1)
		<-sess.begun
		time.Sleep(commitPatience) // the clock of the bubble
		ask(2)
		expect("in time", 2)
		time.Sleep(time.Nanosecond)
		go ask(3)
		go ask(4)
		expect("the first is overdue", 2)
		time.Sleep(commitPatience)
		sess.release <- struct{}{}
		expect("now the second is", 2)
		<-sess.begun
		sess.release <- struct{}{}
		expect("all are done", 4)
		c.stop()
	})
}

func TestCommitTicksWhileItWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sess := &slowCommits{begun: make(chan struct{}, 2), release: make(chan struct{})}
		c := newCommitter(sess, testRuntime().Health.Loop("commit"))
		c.commit(context.Background(), func() {})
		time.Sleep(2 * commitPatience) // the clock of the bubble
		ticks := 0
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		c.commit(ctx, func() { ticks++ })
		if ticks < 10 {
			t.Errorf("%d ticks in 10 s", ticks)
		}
		close(sess.release)
		c.stop()
	})
}

func TestLag(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		initial int64
		high    int64
		change  func(*progress)
		want    int64
	}{
		{"nothing committed, nothing there", sarama.OffsetOldest, 0, func(*progress) {}, 0},
		{"nothing committed", sarama.OffsetOldest, 7, func(*progress) {}, 7},
		{"in the middle", 3, 7, func(p *progress) { done(p, 5) }, 2},
		{"all done", 3, 7, func(p *progress) { done(p, 7) }, 0},
		{"the broker told of more than the fetches", 3, 7, func(p *progress) { p.end.Store(9) }, 6},
		{"what is left is a transaction's marker", 3, 7, func(p *progress) { done(p, 6); p.nothing.Store(7) }, 0},
		{"records behind the marker", 3, 9, func(p *progress) { done(p, 6); p.nothing.Store(7) }, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newProgress(&fakeClaim{topic: "SF", initial: tt.initial, high: tt.high})
			tt.change(p)
			if got := p.lag(); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

func testTracker() *tracker {
	rt := testRuntime()
	return &tracker{cfg: Config{Prefix: "x", Runtime: rt}, claims: map[*progress]bool{},
		loop: rt.Health.Loop("lag")}
}

func TestCompareNamesWhatWillBeReadAgain(t *testing.T) {
	t.Parallel()
	tr := testTracker()
	p := tr.add(&fakeClaim{topic: "SF", partition: 3, initial: 2, high: 9})
	tr.add(&fakeClaim{topic: "NYC", initial: 4, high: 9})
	committed := map[string]map[int32]int64{"SF": {3: 2}, "NYC": {0: -1}}
	if err := tr.compare(committed); err != nil {
		t.Errorf("nothing was dealt with: %v", err)
	}
	done(p, 8)
	tr.remove(p) // the claim has returned, the session is still there
	err := tr.compare(committed)
	if err == nil || !strings.Contains(err.Error(), "SF/3 from offset 2 to 7") || strings.Contains(err.Error(), "NYC") {
		t.Errorf("got %v", err)
	}
	committed["SF"][3] = 8
	if err := tr.compare(committed); err != nil {
		t.Errorf("all is committed: %v", err)
	}
	tr.forget()
	if got := tr.uncommitted(); strings.Contains(got, "SF") {
		t.Errorf("after the session: %q", got)
	}
}

func TestBadRecordsAreCountedByReason(t *testing.T) {
	t.Parallel()
	bad := NewBadRecords("x", transaction.Cities(), transaction.Reasons(), testRuntime())
	bad.Skip("SF", 0, &kafka.Record{}, transaction.Tombstone)
	bad.Skip("SF", 0, &kafka.Record{}, transaction.Tombstone)
	if got := testutil.ToFloat64(bad.counts.WithLabelValues("SF", "tombstone")); got != 2 {
		t.Errorf("got %v, want 2", got)
	}
	if got := testutil.CollectAndCount(bad.counts); got != 5*len(transaction.Reasons()) {
		t.Errorf("%d series from the start, want one per topic and reason", got)
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	if got, want := describe(map[string][]int32{"SF": {0, 3}, "NYC": {1}}), "NYC/1 SF/0,3"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := describe(nil); got != "none (standby)" {
		t.Errorf("got %q", got)
	}
}

// done has everything below next dealt with and marked.
func done(p *progress, next int64) {
	p.Good()
	p.passed(next, 1)
	p.mark(next)
}

func TestWhatIsPassedAndNotMarkedIsNoLag(t *testing.T) {
	t.Parallel()
	p := newProgress(&fakeClaim{topic: "London", initial: 3, high: 9})
	tr := newTracker(Config{Prefix: "x", Runtime: testRuntime()})
	tr.claims[p] = true
	p.passed(9, 1)
	if p.lag() != 0 {
		t.Errorf("lag %d, want 0", p.lag())
	}
	committed := map[string]map[int32]int64{"London": {0: 3}}
	if err := tr.compare(committed); err != nil {
		t.Errorf("nothing is marked, and yet %v", err)
	}
	p.mark(5)
	if err := tr.compare(committed); err == nil || !strings.Contains(err.Error(), "London/0 from offset 3 to 4") {
		t.Errorf("got %v, want offsets 3 to 4", err)
	}
}

func TestASecondGroupHasNamesOfItsOwn(t *testing.T) {
	t.Parallel()
	first, second := Config{}, Config{Name: "alerts"}
	if first.named("lag") != "lag" || second.named("lag") != "alerts lag" {
		t.Errorf("got %q and %q", first.named("lag"), second.named("lag"))
	}
}
