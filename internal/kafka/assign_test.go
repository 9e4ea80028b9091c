package kafka

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/IBM/sarama"
)

// group is members by their ids, with what they send along when they join.
type group map[string]string

func (g group) members(topics ...string) map[string]sarama.ConsumerGroupMemberMetadata {
	members := map[string]sarama.ConsumerGroupMemberMetadata{}
	for id, data := range g {
		members[id] = sarama.ConsumerGroupMemberMetadata{Topics: topics, UserData: []byte(data)}
	}
	return members
}

// numbers are 0 to n-1.
func numbers(n int32) []int32 {
	list := make([]int32, n)
	for i := range list {
		list[i] = int32(i)
	}
	return list
}

func plan(t *testing.T, strategy sarama.BalanceStrategy, members map[string]sarama.ConsumerGroupMemberMetadata, topics map[string][]int32) sarama.BalanceStrategyPlan {
	t.Helper()
	made, err := strategy.Plan(members, topics)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestMembersKeepTheirPartitions(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		members group
		count   int32
		want    map[string][]int32
	}{
		{"a new group", group{"a": "", "b": ""}, 6, map[string][]int32{"a": {0, 1, 2}, "b": {3, 4, 5}}},
		{"one that comes is the first", group{"a": "", "b": "7 0 1 2 3 4 5"}, 6, map[string][]int32{"a": {3, 4, 5}, "b": {0, 1, 2}}},
		{"one has come in the place of another", group{"c": "7 3 4 5", "d": ""}, 6, map[string][]int32{"c": {3, 4, 5}, "d": {0, 1, 2}}},
		{"one has gone", group{"a": "7 0 1", "c": "7 4 5"}, 6, map[string][]int32{"a": {0, 1, 2}, "c": {4, 5, 3}}},
		{"who has more keeps more", group{"a": "7 0", "b": "7 1 2", "c": ""}, 5, map[string][]int32{"a": {0, 3}, "b": {1, 2}, "c": {4}}},
		{"more members than partitions", group{"a": "", "b": "7 0", "c": "7 1"}, 2, map[string][]int32{"b": {0}, "c": {1}}},
		{"one has missed a generation", group{"a": "6 0 1 2", "b": "7 0 1 2", "c": "7 3 4 5"}, 6, map[string][]int32{"a": {2, 5}, "b": {0, 1}, "c": {3, 4}}},
		{"fewer partitions", group{"a": "7 0 1 2", "b": "7 3 4 5"}, 4, map[string][]int32{"a": {0, 1}, "b": {3, 2}}},
		{"other data", group{"a": "rack 1", "b": "7 x", "c": "\xff"}, 3, map[string][]int32{"a": {0}, "b": {1}, "c": {2}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := plan(t, newAssignment(), test.members.members("London", "SF"), map[string][]int32{"London": numbers(test.count), "SF": numbers(test.count)})
			want := sarama.BalanceStrategyPlan{}
			for id, own := range test.want {
				want[id] = map[string][]int32{"London": own, "SF": own}
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

// Where nothing can be kept together, it is range alone.
func TestUnequalTopicsAreAssignedByRange(t *testing.T) {
	t.Parallel()
	some := group{"a": "7 3 4 5", "b": "7 0 1 2"}.members("London", "SF")
	missing := group{"a": "7 3 4 5", "b": "7 0 1 2"}.members("London", "SF")
	missing["b"] = sarama.ConsumerGroupMemberMetadata{Topics: []string{"London"}}
	for _, test := range []struct {
		name    string
		members map[string]sarama.ConsumerGroupMemberMetadata
		topics  map[string][]int32
	}{
		{"the counts differ", some, map[string][]int32{"London": numbers(6), "SF": numbers(7)}},
		{"not everyone reads everything", missing, map[string][]int32{"London": numbers(6), "SF": numbers(6)}},
	} {
		got, want := plan(t, newAssignment(), test.members, test.topics), plan(t, sarama.NewBalanceStrategyRange(), test.members, test.topics)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", test.name, got, want)
		}
	}
}

// TestRandomGroups lets members come and go: each partition number is with one member, in all topics, all have as many as
// the others or one more, and nobody is given one in place of one that it had.
func TestRandomGroups(t *testing.T) {
	t.Parallel()
	strategy := newAssignment()
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 4))
		count, members := rng.Int32N(9), group{}
		for generation := int32(1); generation < 20; generation++ {
			for id := range members {
				if rng.IntN(4) == 0 {
					delete(members, id)
				}
			}
			for range max(1-len(members), rng.IntN(3)) {
				members[fmt.Sprint("member-", rng.Uint32())] = ""
			}
			made := plan(t, strategy, members.members("London", "SF"), map[string][]int32{"London": numbers(count), "SF": numbers(count)})
			var all []int32
			for id, before := range members {
				own := made[id]["London"]
				if !slices.Equal(own, made[id]["SF"]) {
					t.Fatalf("seed %d: %v is with one member in London, %v in SF", seed, own, made[id]["SF"])
				}
				if least := int(count) / len(members); len(own) < least || len(own) > least+1 {
					t.Fatalf("seed %d: %d of %d partitions are with one of %d members", seed, len(own), count, len(members))
				}
				_, had := parsePossession([]byte(before))
				kept := 0
				for _, n := range own {
					if slices.Contains(had, n) {
						kept++
					}
				}
				if kept < min(len(own), len(had)) {
					t.Fatalf("seed %d: %v became %v", seed, had, own)
				}
				all = append(all, own...)
				data, err := strategy.AssignmentData(id, made[id], generation)
				if err != nil {
					t.Fatal(err)
				}
				if len(own) == 0 {
					data = nil // sarama tells those nothing
				}
				members[id] = string(data)
			}
			if slices.Sort(all); !slices.Equal(all, numbers(count)) {
				t.Fatalf("seed %d: %v are assigned, want each of %d once", seed, all, count)
			}
		}
	}
}

func TestPossession(t *testing.T) {
	t.Parallel()
	data, err := newAssignment().AssignmentData("a", map[string][]int32{"London": {2, 0}, "SF": {0, 2, 11}}, 42)
	if err != nil {
		t.Fatal(err)
	}
	generation, own := parsePossession(data)
	if generation != 42 || !slices.Equal(own, []int32{0, 2, 11}) {
		t.Errorf("got %d, %v of %q", generation, own, data)
	}
	if owner := owners(group{"a": string(data)}.members()); !slices.Equal(slices.Sorted(maps.Keys(owner)), own) {
		t.Errorf("got %v", owner)
	}
}
