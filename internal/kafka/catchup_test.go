package kafka

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/IBM/sarama"
)

// Of partitions with a backlog a few are asked for at once, for much of each, and each has its turn. Those without
// one are in all requests meanwhile, and as soon as the backlog is read all are asked for together again.
func TestPartitionsThatAreBehindTakeTurns(t *testing.T) {
	t.Parallel()
	const behind, idle, each = 12, 3, 1000
	synctest.Test(t, func(t *testing.T) {
		var logs []*fakeLog
		for range behind {
			logs = append(logs, logOf(batches(each/10)...))
		}
		for range idle {
			logs = append(logs, logOf())
		}
		c := &listed{fakeCluster: newCluster(t, 1, logs...)}
		f := fetchFrom(t, c.fakeCluster)
		f.Fetcher.source = c
		var readers sync.WaitGroup
		for p, log := range logs {
			feed := f.Feed("London", int32(p), 0)
			readers.Go(func() { checkRecords(t, read(feed, int(log.end)), log.want(0, log.end)) })
		}
		readers.Wait()
		time.Sleep(4 * longWait)
		if got := f.complaints(); len(got) > 0 {
			t.Errorf("told %q", got)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.check(t, behind, idle)
	})
}

// However quick a reader is, the others have their turns.
func TestNobodyThatIsBehindIsLeftOut(t *testing.T) {
	t.Parallel()
	f := newFetcher(nil, longWait, nil)
	p := &poller{fetcher: f}
	for partition := range int32(4) {
		for _, topic := range []string{"London", "NYC"} {
			feed := newFeed(f, topic, partition, 0)
			feed.behind = partition > 0
			p.feeds = append(p.feeds, feed)
		}
	}
	asked := choices(p, 4, func(feed *Feed) string { return fmt.Sprintf("%c%d", feed.topic[0], feed.partition) })
	if want := []string{"L0N0L1N1L2N2L3", "L0N0N3L1N1L2N2", "L0N0L3L1N1L2N2", "L0N0N3L1N1L2N2"}; !slices.Equal(asked, want) {
		t.Errorf("asked for %q, want %q", asked, want)
	}
}

// A partition whose leader moves is not behind the others of the new one for as long as that has been asked less often.
func TestAPartitionThatIsBehindHasItsTurnAfterAMove(t *testing.T) {
	t.Parallel()
	f := newFetcher(nil, longWait, nil)
	p := &poller{fetcher: f, number: 7}
	f.pollers[1] = p
	for partition := range int32(2 * catchUpAtOnce) {
		feed := newFeed(f, "London", partition, 0)
		feed.behind, feed.asked = true, 1000*uint64(partition%2)
		f.assign(t.Context(), feed, 1, 0)
	}
	asked := strings.Join(choices(p, 10, func(feed *Feed) string { return fmt.Sprint(feed.partition) }), "")
	for _, feed := range p.feeds {
		if got := strings.Count(asked, fmt.Sprint(feed.partition)); got != 5 {
			t.Errorf("partition %d was asked for %d times of 10, want 5", feed.partition, got)
		}
	}
}

// listed notes what is asked for.
type listed struct {
	*fakeCluster
	requests [][]ask
}

func (l *listed) fetchFrom(broker int32, asks []ask, wait time.Duration) (*sarama.FetchResponse, error) {
	l.mu.Lock()
	l.requests = append(l.requests, slices.Clone(asks))
	l.mu.Unlock()
	return l.fakeCluster.fetchFrom(broker, asks, wait)
}

func (l *listed) check(t *testing.T, behind, idle int) {
	t.Helper()
	turns, known := make([]int, behind), map[int32]bool{} // they come one after the other
	for n, asks := range l.requests {
		much, little, all := 0, 0, len(known) == behind+idle
		for _, a := range asks {
			known[a.partition] = true
			switch {
			case a.bytes == catchUpBytes && int(a.partition) < behind:
				much++
				turns[a.partition]++
			case a.bytes == fetchBytes:
				little++
			default:
				t.Errorf("request %d asks for %d bytes of partition %d", n, a.bytes, a.partition)
			}
		}
		if much > catchUpAtOnce || all && little < idle {
			t.Errorf("request %d asks for much of %d partitions, want %d at most, and for little of %d, want %d at least",
				n, much, catchUpAtOnce, little, idle)
		}
	}
	if most, least := slices.Max(turns), slices.Min(turns); least == 0 || most > least+1 {
		t.Errorf("they had %v turns, want about as many each", turns)
	}
	last := l.requests[len(l.requests)-1]
	if len(last) != behind+idle || slices.ContainsFunc(last, func(a ask) bool { return a.bytes != fetchBytes }) {
		t.Errorf("the last request is %v, want all partitions, and %d bytes of each", last, fetchBytes)
	}
}
