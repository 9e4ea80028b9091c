package consume

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestWhatIsGoneIsCountedOnce(t *testing.T) {
	t.Parallel()
	counter := prometheus.NewCounter(prometheus.CounterOpts{Name: "gone"})
	g := NewGone(counter)
	for i, step := range []struct {
		what              string
		topic             string
		partition         int32
		committed, oldest int64
		want              float64
	}{
		{"the retention has passed some", "SF", 3, 10, 30, 20},
		{"a session begins again", "SF", 3, 10, 30, 20},
		{"... and some more are gone by then", "SF", 3, 10, 35, 25},
		{"another partition", "SF", 4, 10, 11, 26},
		{"another topic", "NYC", 3, 0, 2, 28},
		{"what was committed since, and then was gone", "SF", 3, 40, 45, 33},
		{"the topic was created again: what is committed is of the old one", "SF", 3, 50, 0, 33},
		{"... and of the new one some are gone", "SF", 3, 4, 6, 35},
	} {
		g.Add(step.topic, step.partition, step.committed, step.oldest)
		if got := testutil.ToFloat64(counter); got != step.want {
			t.Fatalf("step %d, %s: got %v, want %v", i, step.what, got, step.want)
		}
	}
}
