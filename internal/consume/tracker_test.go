package consume

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestAtEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newProgress(&fakeClaim{topic: "SF"})
		expect := func(what string, want bool) {
			t.Helper()
			asked, got := p.AtEnd(time.Now())
			if got != want || got && asked.UnixNano() != p.atEndAt.Load() {
				t.Errorf("%s: got %v, asked %v, want %v", what, got, asked, want)
			}
		}
		expect("never asked", false)
		time.Sleep(time.Second)
		p.atEndAt.Store(time.Now().UnixNano())
		time.Sleep(time.Second)
		expect("asked a second ago", true)
		p.passed(1, 1)
		expect("nothing but bad records since", true)
		done(p, 2)
		expect("a good record since", false)
		time.Sleep(time.Second)
		p.atEndAt.Store(time.Now().UnixNano())
		time.Sleep(time.Minute)
		expect("asked a minute ago, and no answer since", false)
	})
}

func TestStuckIsLagWithoutProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tr := testTracker()
		behind := tr.add(&fakeClaim{topic: "SF", partition: 3, initial: 2, high: 9})
		tr.add(&fakeClaim{topic: "NYC", initial: 9, high: 9})
		time.Sleep(59 * time.Second)
		if got := tr.stuck(); got != "" {
			t.Errorf("too early: %q", got)
		}
		time.Sleep(2 * time.Second)
		got := tr.stuck()
		if !strings.Contains(got, "SF/3") || !strings.Contains(got, "7 records") || strings.Contains(got, "NYC") {
			t.Errorf("got %q, want SF/3 with 7 records alone", got)
		}
		behind.Working() // a rebuild that advances
		if got := tr.stuck(); got != "" {
			t.Errorf("after progress: %q", got)
		}
	})
}

func TestIdleClaimsAreAskedAboutNowAndThen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tr := testTracker()
		p := tr.add(&fakeClaim{topic: "SF"})
		steps := []struct {
			wait time.Duration
			want int
		}{{time.Second, 0}, {3 * time.Second, 1}}
		for _, s := range steps {
			time.Sleep(s.wait)
			if got := len(tr.idle(time.Now())); got != s.want {
				t.Errorf("after %v: got %d, want %d", s.wait, got, s.want)
			}
		}
		p.askedAt.Store(time.Now().UnixNano())
		if got := len(tr.idle(time.Now())); got != 0 {
			t.Error("asked again at once")
		}
		time.Sleep(askAgain + time.Millisecond)
		if got := len(tr.idle(time.Now())); got != 1 {
			t.Error("not asked again")
		}
	})
}

// A log to which bad records are written all the time never stands still: that it has nothing else to read has to be
// found out while they come.
func TestAClaimOfBadRecordsComesToItsEnd(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		lag  int64 // seconds
		good bool  // a record in the middle is
		want bool
	}{
		{"as they come", 0, false, true},
		{"a little behind", 8, false, true},
		{"far behind", 60, false, false},
		{"with good ones", 0, true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tr := testTracker()
				p := tr.add(&fakeClaim{topic: "SF"})
				ended := 0
				for second := int64(1); second <= 100; second++ { // the log gets a record in each
					time.Sleep(time.Second)
					if tt.good {
						p.Good()
					}
					p.passed(max(0, second-tt.lag), 1)
					for _, idle := range tr.idle(time.Now()) {
						idle.askedAt.Store(time.Now().UnixNano())
						tr.compareEnd(t.Context(), idle, second+1, time.Now())
					}
					if asked, ok := p.AtEnd(time.Now()); ok {
						ended++
						if left := asked.Unix() - (time.Now().Unix() - tt.lag); left > 0 {
							t.Fatalf("at its end as of %d s before it was", left)
						}
					}
				}
				if tt.want != (ended > 30) || !tt.want && ended > 0 {
					t.Errorf("seen at its end in %d seconds of 100, want %v", ended, tt.want)
				}
			})
		})
	}
}
