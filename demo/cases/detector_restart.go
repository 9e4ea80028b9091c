package cases

import (
	"fmt"
	"testing"
	"time"

	"fintrans/demo/harness"
	"fintrans/demo/oracle"
	"fintrans/internal/transaction"
)

// restarted is what one pair does before and after a restart of the detector.
type restarted struct {
	name          string
	before, after []transferAt
	lines         [2]int // alerts before and after
}

// transferAt is a transaction so many milliseconds after the hour before last.
type transferAt struct {
	city   string
	amount uint32
	at     time.Duration
}

const (
	tenth   = 10 * time.Minute // the window of tenMinutes
	instant = time.Millisecond
)

// restarts are all judged by tenMinutes, and nothing is late: what is read back begins exactly a window before
// the first transaction that was not judged yet.
var restarts = []restarted{
	{
		"in the middle of an episode",
		[]transferAt{{"London", 6000, 0}, {"London", 6000, time.Minute}},
		[]transferAt{{"London", 100, 2 * time.Minute}, {"London", 9000, 3 * time.Minute}}, [2]int{1, 0},
	},
	{
		"in the middle of an episode, which goes on in another city",
		[]transferAt{{"London", 6000, 0}, {"London", 6000, time.Minute}},
		[]transferAt{{"Tokyo", 6000, 2 * time.Minute}}, [2]int{1, 0},
	},
	{
		"before the transaction that crosses",
		[]transferAt{{"London", 6000, 0}},
		[]transferAt{{"London", 6000, time.Minute}}, [2]int{0, 1},
	},
	{
		"before the transaction of another city that crosses",
		[]transferAt{{"Tokyo", 6000, 0}},
		[]transferAt{{"NYC", 6000, time.Minute}}, [2]int{0, 1},
	},
	{
		"before a transaction of another city that is older",
		[]transferAt{{"Moscow", 6000, 5 * time.Minute}},
		[]transferAt{{"SF", 6000, time.Minute}}, [2]int{0, 1},
	},
	{
		"the last in the window",
		[]transferAt{{"London", 6000, 0}},
		[]transferAt{{"London", 6000, tenth - instant}}, [2]int{0, 1},
	},
	{
		"exactly a window old",
		[]transferAt{{"London", 6000, 0}},
		[]transferAt{{"London", 6000, tenth}}, [2]int{0, 0},
	},
	{
		"the first leaves as the third comes: one episode",
		[]transferAt{{"London", 6000, 0}, {"London", 6000, instant}},
		[]transferAt{{"London", 6000, tenth}}, [2]int{1, 0},
	},
	{
		"the same in another city",
		[]transferAt{{"SF", 6000, 0}, {"SF", 6000, instant}},
		[]transferAt{{"NYC", 6000, tenth}}, [2]int{1, 0},
	},
	{
		"a millisecond apart: two episodes",
		[]transferAt{{"London", 6000, 0}, {"London", 6000, instant}},
		[]transferAt{{"London", 6000, tenth + instant}, {"London", 6000, tenth + 2*instant}}, [2]int{1, 1},
	},
	{
		"long after",
		[]transferAt{{"London", 6000, 0}, {"London", 6000, time.Minute}},
		[]transferAt{{"London", 10_001, time.Hour}}, [2]int{1, 1},
	},
}

// RestartChangesNoAlert restarts the detector at any point of a pair's story: what was alerted is not alerted
// again, and what was not yet is, to the edges of the window. Each pair has a partition of its own.
func RestartChangesNoAlert(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{Partitions: int32(len(restarts))})
	det := s.Start(detector, rules(tenMinutes, 0))
	begin := time.UnixMilli(time.Now().Add(-2 * time.Hour).UnixMilli())
	stories := map[oracle.Pair]restarted{}
	var parts [2][]harness.Record
	for i, story := range restarts {
		pair := pairsOf(int32(len(restarts)), int32(i), 1)[0]
		stories[pair] = story
		for part, transfers := range [][]transferAt{story.before, story.after} {
			for _, m := range transfers {
				parts[part] = append(parts[part], transfer(m.city, begin.Add(m.at), pair, m.amount))
			}
		}
	}
	for part, records := range parts {
		s.Produce(records...) // the second part while there is no detector
		if part > 0 {
			det.Restart()
		}
		awaitJudged(t, det, len(records))
		term(t, det)
		for pair, story := range stories {
			if got, want := linesOf(t, det, pair), story.lines[0]+part*story.lines[1]; got != want {
				t.Errorf("%s: %d alerts by the end of life %d, want %d", story.name, got, part+1, want)
			}
		}
	}
	for _, wrong := range tenMinutes.Check(alerts(t, det), transfers(append(parts[0], parts[1]...))) {
		t.Error(wrong)
	}
}

// OtherRulesAfterRestart lowers the threshold and lengthens the window at a restart: pairs that are over by the
// new rule count as alerted, and everything that comes is judged by it.
func OtherRulesAfterRestart(t testing.TB, start harness.Starter) {
	s := harness.NewSystem(t, start, harness.Need{})
	begin := time.UnixMilli(time.Now().Add(-time.Hour).UnixMilli())
	pairs := pairsOf(6, 3, 4)
	move := func(pair int, amount uint32, at time.Duration) harness.Record {
		return transfer("London", begin.Add(at), pairs[pair], amount)
	}
	lives := []struct {
		rule    oracle.Rule
		records []harness.Record
		want    string
	}{
		{
			tenMinutes, []harness.Record{
				move(0, 3000, 0), move(1, 3000, 0), move(2, 3000, 0), move(3, 6000, 0), move(3, 6000, instant),
				move(0, 3000, time.Minute), move(2, 3000, 12*time.Minute),
			}, fmt.Sprintf("[%v totalling 12000]", pairs[3]),
		},
		{
			oracle.Rule{Threshold: 5000, Window: 20 * minute}, []harness.Record{
				move(0, 100, 13*time.Minute),  // over by the new rule already
				move(1, 3000, 14*time.Minute), // crosses: what came 14 minutes before counts now
				move(2, 100, 15*time.Minute),  // over by the new window already
				move(3, 6000, 40*time.Minute), // another episode
			}, fmt.Sprintf("[%v totalling 6000 %v totalling 6000]", pairs[1], pairs[3]),
		},
	}
	for i, life := range lives {
		det := s.Start(detector, rules(life.rule, time.Minute))
		s.Produce(life.records...)
		awaitJudged(t, det, len(life.records))
		term(t, det)
		if got := fmt.Sprint(alerts(t, det)); got != life.want {
			t.Errorf("life %d: alerts %s, want %s", i+1, got, life.want)
		}
	}
}

// pairsOf returns so many pairs, none twice, whose transactions belong into this partition.
func pairsOf(partitions, partition int32, number int) []oracle.Pair {
	var pairs []oracle.Pair
	for source := uint32(1); len(pairs) < number; source++ {
		key := fmt.Appendf(nil, "%d 999999", source)
		if transaction.Partition(key, partitions) == partition {
			pairs = append(pairs, oracle.Pair{Source: source, Target: 999_999})
		}
	}
	return pairs
}

// linesOf is how many alerts of the pair a detector has written.
func linesOf(t testing.TB, p *harness.Process, pair oracle.Pair) int {
	t.Helper()
	lines := 0
	for _, alert := range alerts(t, p) {
		if alert.Pair == pair {
			lines++
		}
	}
	return lines
}
