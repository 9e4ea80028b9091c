package chaos

import (
	"reflect"
	"slices"
	"testing"
	"time"
)

var full = Shape{Length: 30 * time.Minute, Brokers: 3, Instances: 3, Kinds: Kinds()}

// TestScheduleIsOfTheSeed sees that the same seed is the same schedule and another is another.
func TestScheduleIsOfTheSeed(t *testing.T) {
	t.Parallel()
	first := Schedule(7, full)
	if again := Schedule(7, full); !reflect.DeepEqual(first, again) {
		t.Error("the same seed made another schedule")
	}
	if other := Schedule(8, full); reflect.DeepEqual(first, other) {
		t.Error("another seed made the same schedule")
	}
}

// TestScheduleHasAll sees that half an hour has each kind, each target of it, and each answer of InfluxDB.
func TestScheduleHasAll(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		rows, kinds := map[string]bool{}, map[Kind]bool{}
		brokers, counts := map[int]bool{}, map[int]bool{}
		for _, f := range Schedule(seed, full) {
			rows[f.Row()], kinds[f.Kind] = true, true
			if f.Kind == BrokerKill {
				brokers[f.Broker] = true
			}
			if f.Kind == Scale {
				counts[f.Count] = true
			}
		}
		for _, kind := range Kinds() {
			if !kinds[kind] {
				t.Errorf("seed %d: no %s", seed, kind)
			}
		}
		for _, service := range services() {
			for _, kind := range []Kind{Kill, Terminate, Freeze} {
				if row := (Fault{Kind: kind, Service: service}).Row(); !rows[row] {
					t.Errorf("seed %d: no %s", seed, row)
				}
			}
		}
		if len(brokers) != 3 || len(counts) != 4 {
			t.Errorf("seed %d: brokers %v are killed, want all; consumers are scaled to %v, want 1, 2, 4 and 6", seed, brokers, counts)
		}
	}
}

// TestScheduleKeepsItsTimes sees that faults of a lane do not overlap, are over before the end and are in order.
func TestScheduleKeepsItsTimes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		faults := Schedule(seed, full)
		free := map[string]time.Duration{}
		for i, f := range faults {
			l := laneOf(f.Kind)
			if f.At < free[l] {
				t.Errorf("seed %d: %v begins at %v, before %v, when the one before is over", seed, f, f.At, free[l])
			}
			free[l] = f.At + f.takes(full)
			if f.At+f.takes(full) > full.Length || i > 0 && f.At < faults[i-1].At {
				t.Errorf("seed %d: %v at %v is out of order, or ends after %v", seed, f, f.At, full.Length)
			}
			if f.Kind == Freeze && f.Lasts <= sessionTimeout {
				t.Errorf("seed %d: %v, want more than the session timeout", seed, f)
			}
		}
	}
}

// TestScheduleWithShortPauses sees that ten minutes of kills with short pauses are fifty of each service.
func TestScheduleWithShortPauses(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		kills := map[string]int{}
		for _, f := range Schedule(seed, Shape{Length: 10 * time.Minute, Brokers: 1, Instances: 2, Kinds: []Kind{Kill}, Pause: 2 * time.Second}) {
			kills[f.Service]++
		}
		for _, service := range services() {
			if kills[service] < 50 {
				t.Errorf("seed %d: %v kills of %s, want 50 at least", seed, kills[service], service)
			}
		}
	}
}

// TestScheduleOfSomeKinds sees that no other kinds come, and that topics grow no more often than they may.
func TestScheduleOfSomeKinds(t *testing.T) {
	t.Parallel()
	for _, kinds := range [][]Kind{{Kill}, {BrokerKill, NetCut}, {PartitionAdd}, {PartitionAdd, Kill, InfluxKill}} {
		shape := full
		shape.Kinds = kinds
		growths := 0
		faults := Schedule(3, shape)
		for _, f := range faults {
			if !slices.Contains(kinds, f.Kind) {
				t.Errorf("%v: %v", kinds, f)
			}
			if f.Kind == PartitionAdd {
				growths++
			}
		}
		if len(faults) == 0 || growths > mostGrowths {
			t.Errorf("%v: %d faults, topics grow %d times", kinds, len(faults), growths)
		}
	}
}

func TestKindListReads(t *testing.T) {
	t.Parallel()
	var list KindList
	if err := list.UnmarshalText([]byte("kill, net-cut")); err != nil || !slices.Equal(list, KindList{Kill, NetCut}) {
		t.Errorf("%v, %v", list, err)
	}
	if err := list.UnmarshalText([]byte("all")); err != nil || len(list) != len(Kinds()) {
		t.Errorf("%v, %v", list, err)
	}
	if err := list.UnmarshalText([]byte("kill,earthquake")); err == nil {
		t.Error("an unknown kind was read")
	}
}
