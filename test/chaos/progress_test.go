package chaos

import (
	"reflect"
	"testing"
	"time"
)

var began = time.Unix(1_800_000_000, 0)

// at is a time of the run, in seconds.
func at(seconds int) time.Time { return began.Add(time.Duration(seconds) * time.Second) }

func TestStandstill(t *testing.T) {
	t.Parallel()
	p := newProgress(began)
	first, second := life{Ingest, 0, 1}, life{Ingest, 1, 1}
	p.saw(at(3), first, 10)
	p.saw(at(5), first, 10) // no progress
	p.saw(at(7), second, 1) // another instance's is progress, too
	p.begins(at(8), serversLane)
	p.healed(at(20), serversLane)
	p.saw(at(25), life{Ingest, 0, 2}, 1) // a new life counts from 0
	stood, _ := p.end(at(27))
	if want := (Standstill{Longest: 18 * time.Second, Quiet: 5 * time.Second}); stood[Ingest] != want {
		t.Errorf("%+v, want %+v", stood[Ingest], want)
	}
	if want := (Standstill{Longest: 27 * time.Second, Quiet: 8 * time.Second}); stood[Detector] != want {
		t.Errorf("%+v of who never moved, want %+v", stood[Detector], want)
	}
}

func TestRecoveries(t *testing.T) {
	t.Parallel()
	kill, cut, roll := Fault{Kind: Kill, Service: Ingest}, Fault{Kind: NetCut}, Fault{Kind: Roll}
	p := newProgress(began)
	p.expect(kill, at(10), life{Ingest, 1, 2})
	p.saw(at(11), life{Ingest, 0, 1}, 5) // another instance
	p.saw(at(12), life{Ingest, 1, 1}, 5) // what the killed life had counted
	p.saw(at(14), life{Ingest, 1, 2}, 1) // this is it
	p.saw(at(15), life{Ingest, 1, 2}, 2) // it counts once
	p.expect(kill, at(20), life{Ingest, 2, 2})
	p.giveUp(Ingest, 2) // it is hit again before it recovers
	p.expect(kill, at(30), life{Ingest, 2, 3})
	p.saw(at(32), life{Ingest, 2, 4}, 1) // a later life does as well

	p.expect(kill, at(40), life{Ingest, 0, 2})
	p.begins(at(41), serversLane) // in between
	p.saw(at(43), life{Ingest, 0, 2}, 1)
	p.expect(kill, at(50), life{Ingest, 0, 3}) // another fault is on already
	p.healed(at(55), serversLane)
	p.expect(cut, at(55), life{Detector, anyInstance, 0}) // a kill is not over yet
	p.saw(at(60), life{Ingest, 0, 3}, 1)
	p.saw(at(60), life{Detector, 3, 7}, 1)
	p.begins(at(61), laneOf(Kill))
	p.healed(at(61), laneOf(Kill))
	p.expect(cut, at(61), life{Detector, anyInstance, 0})
	p.saw(at(61), life{Detector, 3, 7}, 2) // not by what was seen at the same time
	p.saw(at(64), life{Detector, 3, 7}, 3)
	p.expect(roll, at(65), life{Ingest, anyInstance, 0}, life{Detector, anyInstance, 0})
	p.saw(at(66), life{Ingest, 0, 3}, 2)
	p.saw(at(70), life{Detector, 3, 7}, 4) // both have to come
	p.expect(cut, at(71), life{Detector, anyInstance, 0})
	p.begins(at(72), serversLane) // the next of the same lane is another one, too
	p.healed(at(73), serversLane)
	p.saw(at(79), life{Detector, 3, 7}, 5)

	_, got := p.end(at(80))
	want := map[string]Recovery{
		kill.Row(): {Alone: durations(2, 4), Others: durations(3, 10)},
		cut.Row():  {Alone: durations(3), Others: durations(5, 8)},
		roll.Row(): {Alone: durations(5)},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func durations(seconds ...int) []time.Duration {
	var all []time.Duration
	for _, s := range seconds {
		all = append(all, time.Duration(s)*time.Second)
	}
	return all
}

func TestTotalIsOfAllLives(t *testing.T) {
	t.Parallel()
	p := newProgress(began)
	p.saw(at(1), life{Generator, 0, 1}, 10)
	p.saw(at(2), life{Generator, 0, 1}, 12)
	p.saw(at(3), life{Generator, 0, 2}, 5)
	p.saw(at(4), life{Ingest, 0, 1}, 7)
	if got := p.total(Generator); got != 17 {
		t.Errorf("%d, want 17", got)
	}
	if got := p.last(Generator); !got.Equal(at(3)) {
		t.Errorf("last progress at %v, want %v", got, at(3))
	}
}
