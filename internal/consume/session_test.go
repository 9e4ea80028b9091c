package consume

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/IBM/sarama"

	"fintrans/internal/service"
)

// fakeOffsets keeps marks as sarama does: MarkOffset moves only forward, ResetOffset only back.
type fakeOffsets struct {
	sarama.ConsumerGroupSession
	marked int64
}

func (f *fakeOffsets) MarkOffset(_ string, _ int32, offset int64, _ string) {
	f.marked = max(f.marked, offset)
}

func (f *fakeOffsets) ResetOffset(_ string, _ int32, offset int64, _ string) {
	f.marked = min(f.marked, offset)
}

// After an offset that the log does not have, a claim begins at the oldest record, which may lie
// before what is committed: the log was cut, or the topic made anew. Unless the mark goes back as
// well, nothing is committed until the log is as long as it was, and a crash then skips records.
func TestMarksGoBackWithAClaimThatWasReset(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name             string
		initial, marked  int64
		done, wantMarked int64
	}{
		{"within the log", 5, 5, 7, 7},
		{"nothing committed", sarama.OffsetOldest, -1, 7, 7},
		{"committed behind the end", sarama.OffsetOldest, 1000, 7, 7},
		{"committed before the beginning", sarama.OffsetOldest, 3, 7, 7},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			offsets := &fakeOffsets{marked: tt.marked}
			claim := &fakeClaim{topic: "SF", partition: 3, initial: tt.initial}
			c := &Claim{
				Claimed:  claim,
				session:  &Session{ConsumerGroupSession: offsets},
				progress: newProgress(claim),
			}
			c.Done(tt.done, 1)
			if offsets.marked != tt.wantMarked {
				t.Errorf("marked %d, want %d", offsets.marked, tt.wantMarked)
			}
			c.Done(tt.done+2, 1)
			if want := tt.wantMarked + 2; offsets.marked != want {
				t.Errorf("then marked %d, want %d", offsets.marked, want)
			}
		})
	}
}

// A broker that hangs keeps a commit waiting for minutes: a restart of this process would not cure that.
func TestTheCommitLoopTicksDuringACommit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rt := testRuntime()
		sess := &slowCommits{begun: make(chan struct{}, 1), release: make(chan struct{})}
		c := newCommitter(sess, rt.Health.Loop("commit"))
		c.commit(context.Background(), func() {})
		<-sess.begun
		time.Sleep(2 * service.StallLimit) // the clock of the bubble
		if stalled := rt.Health.Stalled(); len(stalled) > 0 {
			t.Errorf("not healthy: %v", stalled)
		}
		close(sess.release)
		c.stop()
	})
}

// newClient is a client that talks to nobody.
type newClient struct{ sarama.Client }

func (newClient) Config() *sarama.Config { return sarama.NewConfig() }
func (newClient) Closed() bool           { return false }
func (newClient) Close() error           { return nil }

// Before its first session a member has no claims, so no lag would tell that it cannot join.
func TestAMemberIsNotReadyBeforeItHasLookedAndJoined(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rt := testRuntime()
		if _, err := New(Config{Group: "g", Prefix: "x", Runtime: rt, Clients: Clients{Client: newClient{}, Fetch: newClient{}, Probe: newClient{}}}); err != nil {
			t.Fatal(err)
		}
		expect := func(want string) {
			t.Helper()
			if got := strings.Join(rt.Ready.Reasons(), "\n"); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		expect("topics: not looked for yet (for 0s)")
		rt.Ready.Set("topics", "")
		time.Sleep(59 * time.Second) // the clock of the bubble
		expect("")
		time.Sleep(2 * time.Second)
		expect("group: this member is not in the consumer group g (for 1m1s)")
	})
}

// A member that cannot join says why, in the log and in /ready.
func TestAMemberThatMayNotJoinSaysWhy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rt := testRuntime()
		var log bytes.Buffer
		rt.Log.SetOutput(&log)
		g, err := New(Config{Group: "g", Prefix: "x", Runtime: rt, Clients: Clients{Client: newClient{}, Fetch: newClient{}, Probe: newClient{}}})
		if err != nil {
			t.Fatal(err)
		}
		rt.Ready.Set("topics", "")
		g.cannotJoin(sarama.ErrGroupAuthorizationFailed)
		time.Sleep(61 * time.Second)
		const why = "the cluster does not allow this to clients without a user (KAFKA_SASL_MECHANISM): consumer group g: "
		if got := strings.Join(rt.Ready.Reasons(), "\n"); !strings.HasPrefix(got, "group: this member is not in the consumer group g: "+why) {
			t.Errorf("/ready says %q, want %q", got, why)
		}
		if !strings.Contains(log.String(), why) {
			t.Errorf("the log says %q, want %q", log.String(), why)
		}
	})
}

// awayClient is a client whose coordinator does not answer.
type awayClient struct{ newClient }

func (awayClient) Coordinator(string) (*sarama.Broker, error) { return nil, sarama.ErrOutOfBrokers }
func (awayClient) RefreshCoordinator(string) error            { return sarama.ErrOutOfBrokers }

// Between two sessions, when Kafka is away, a drain finds nothing to commit with. What the last session
// has dealt with may still not be committed.
func TestADrainBetweenTwoSessionsSaysWhatMayBeReadAgain(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		done bool // something was dealt with
		want string
	}{
		{"nothing was dealt with", false, ""},
		{"something was", true, "what was last read of SF/3 may be read again"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := &Group{cfg: Config{Group: "g", Runtime: testRuntime(), Clients: Clients{Probe: awayClient{}}}, tracker: testTracker()}
			p := g.tracker.add(&fakeClaim{topic: "SF", partition: 3, initial: 2, high: 9})
			idle := g.tracker.add(&fakeClaim{topic: "NYC", initial: 9, high: 9})
			if tt.done {
				done(p, 5)
			}
			g.tracker.remove(p)
			g.tracker.remove(idle)
			err := g.confirmLast()
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// closable notes that it was closed.
type closable struct {
	newClient
	closed atomic.Bool
}

func (c *closable) Close() error {
	c.closed.Store(true)
	return nil
}

func TestRunClosesTheClientOfTheGroup(t *testing.T) {
	t.Parallel()
	client := &closable{}
	g, err := New(Config{Group: "g", Prefix: "x", Runtime: testRuntime(), Clients: Clients{Client: client, Fetch: newClient{}, Probe: newClient{}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := g.Run(ctx, nil); err != nil {
		t.Error(err)
	}
	if !client.closed.Load() {
		t.Error("the client is still open")
	}
}

// stuckClient closes when a broker answers at last.
type stuckClient struct{ newClient }

func (stuckClient) Close() error {
	<-time.After(time.Hour)
	return nil
}

// What was committed stays so: a broker that is frozen must not use up the time in which the service has to end, nor be
// what a drain is blamed for that was done.
func TestRunDoesNotWaitForClientsThatDoNotClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rt := testRuntime()
		var log bytes.Buffer
		rt.Log.SetOutput(&log)
		clients := Clients{Client: stuckClient{}, Fetch: stuckClient{}, Probe: newClient{}}
		g, err := New(Config{Group: "g", Prefix: "x", Runtime: rt, Clients: clients})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		start := time.Now()
		err = g.Run(ctx, nil)
		if took := time.Since(start); err != nil || log.String() != "" || took > time.Second {
			t.Errorf("after %s: %v, and the log says %q", took, err, log.String())
		}
		<-time.After(2 * time.Hour) // for the clients to close
	})
}

// parkedGroup is a group that lets nobody in before it is released: it waits for a member that was killed.
type parkedGroup struct {
	sarama.ConsumerGroup
	release chan struct{}
	errors  chan error
}

func (p *parkedGroup) Consume(context.Context, []string, sarama.ConsumerGroupHandler) error {
	<-p.release
	return nil
}
func (p *parkedGroup) Errors() <-chan error { return p.errors }
func (p *parkedGroup) Close() error {
	close(p.errors)
	return nil
}

// emptyCluster is a client of a cluster without topics.
type emptyCluster struct{ closable }

func (*emptyCluster) RefreshMetadata(...string) error { return nil }
func (*emptyCluster) Topics() ([]string, error)       { return nil, nil }
func (*emptyCluster) Leader(string, int32) (*sarama.Broker, error) {
	return nil, sarama.ErrLeaderNotAvailable
}
func (*emptyCluster) Coordinator(string) (*sarama.Broker, error) { return nil, sarama.ErrOutOfBrokers }
func (*emptyCluster) RefreshCoordinator(string) error            { return sarama.ErrOutOfBrokers }

// A member that gets SIGTERM while it waits to be let in has nothing to commit: that it cannot leave is no failure.
func TestADrainOfAMemberThatWaitsToBeLetIn(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		last func(*Group) // what happened before
		want string
	}{
		{"it had no session", func(*Group) {}, ""},
		{"its last session was committed", func(g *Group) { g.last.set(nil) }, ""},
		{"its last session was not committed", func(g *Group) { g.last.set(errors.New("SF/3 from offset 2 to 4")) }, "SF/3 from offset 2 to 4"},
		{"what it dealt with may be uncommitted", func(g *Group) {
			done(g.tracker.add(&fakeClaim{topic: "SF", partition: 3, initial: 2, high: 9}), 5)
		}, "the drain did not end within 9s: what was last read of SF/3 may be read again"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cluster, members := &emptyCluster{}, &parkedGroup{release: make(chan struct{}), errors: make(chan error)}
				g, err := New(Config{Group: "g", Prefix: "x", Runtime: testRuntime(), Clients: Clients{Client: cluster, Fetch: newClient{}, Probe: cluster}})
				if err != nil {
					t.Fatal(err)
				}
				g.members = members
				test.last(g)
				ctx, cancel := context.WithCancel(context.Background())
				time.AfterFunc(time.Minute, cancel)
				time.AfterFunc(2*time.Minute, func() { close(members.release) })
				err = g.Run(ctx, nil)
				if got := fmt.Sprint(err); got != test.want && (test.want != "" || err != nil) {
					t.Errorf("got %v, want %q", err, test.want)
				}
				<-members.release
			})
		})
	}
}
