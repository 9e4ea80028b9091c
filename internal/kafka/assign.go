package kafka

import (
	"bytes"
	"maps"
	"slices"
	"strconv"

	"github.com/IBM/sarama"
)

// assignment is sarama's range assignment, which gives partition p of all topics to one member, but for who gets which:
// members keep the partition numbers that they have, as long as all have equally many. Range goes by the order of the
// members' ids, which are random: where one comes or goes, most partitions of the others would move. Members that only know
// range can be in the same group, since the plan of either is good for both.
//
// A member is told what it has with its partitions, and sarama sends that along when it joins again.
type assignment struct{ sarama.BalanceStrategy }

func newAssignment() assignment { return assignment{sarama.NewBalanceStrategyRange()} }

// Plan implements sarama.BalanceStrategy.
func (a assignment) Plan(members map[string]sarama.ConsumerGroupMemberMetadata, topics map[string][]int32) (sarama.BalanceStrategyPlan, error) {
	numbers, ok := numbersOf(members, topics)
	if !ok {
		return a.BalanceStrategy.Plan(members, topics)
	}
	plan := make(sarama.BalanceStrategyPlan, len(members))
	for id, own := range share(slices.Sorted(maps.Keys(members)), owners(members), numbers) {
		for topic := range topics {
			plan.Add(id, topic, own...)
		}
	}
	return plan, nil
}

// numbersOf returns the partition numbers that all topics have; false where they differ, or not all members read all topics.
func numbersOf(members map[string]sarama.ConsumerGroupMemberMetadata, topics map[string][]int32) (numbers []int32, ok bool) {
	first := true
	for _, of := range topics {
		of = slices.Sorted(slices.Values(of))
		if !first && !slices.Equal(of, numbers) {
			return nil, false
		}
		numbers, first = of, false
	}
	for _, member := range members {
		for topic := range topics {
			if !slices.Contains(member.Topics, topic) {
				return nil, false
			}
		}
	}
	return numbers, true
}

// share gives each member as many of the numbers as any other, or one more: first of those that it has, then of the rest.
func share(ids []string, owner map[int32]string, numbers []int32) map[string][]int32 {
	has := map[string]int{}
	for _, n := range numbers {
		has[owner[n]]++
	}
	byPossession := slices.Clone(ids)
	slices.SortStableFunc(byPossession, func(a, b string) int { return has[b] - has[a] })
	quota := make(map[string]int, len(ids))
	for i, id := range byPossession {
		quota[id] = len(numbers) / len(ids)
		if i < len(numbers)%len(ids) {
			quota[id]++ // whoever has most can keep most
		}
	}
	shares := make(map[string][]int32, len(ids))
	var free []int32
	for _, n := range numbers {
		if id := owner[n]; len(shares[id]) < quota[id] {
			shares[id] = append(shares[id], n)
		} else {
			free = append(free, n)
		}
	}
	for _, id := range ids {
		more := min(quota[id]-len(shares[id]), len(free))
		shares[id] = append(shares[id], free[:more]...)
		free = free[more:]
	}
	return shares
}

// owners tells who has which partition number. Of two that claim one, the later generation is right: the other has
// missed it.
func owners(members map[string]sarama.ConsumerGroupMemberMetadata) map[int32]string {
	owner, since := map[int32]string{}, map[int32]int32{}
	for _, id := range slices.Sorted(maps.Keys(members)) {
		generation, numbers := parsePossession(members[id].UserData)
		for _, n := range numbers {
			if _, ok := owner[n]; !ok || generation > since[n] {
				owner[n], since[n] = id, generation
			}
		}
	}
	return owner
}

// AssignmentData implements sarama.BalanceStrategy: the generation and the partition numbers, in decimal.
func (a assignment) AssignmentData(_ string, topics map[string][]int32, generation int32) ([]byte, error) {
	own := map[int32]bool{}
	for _, numbers := range topics {
		for _, n := range numbers {
			own[n] = true
		}
	}
	data := strconv.AppendInt(nil, int64(generation), 10)
	for _, n := range slices.Sorted(maps.Keys(own)) {
		data = strconv.AppendInt(append(data, ' '), int64(n), 10)
	}
	return data, nil
}

// parsePossession reads what AssignmentData has made; whatever else it is, it says nothing.
func parsePossession(data []byte) (generation int32, numbers []int32) {
	for i, field := range bytes.Fields(data) {
		n, err := strconv.ParseInt(string(field), 10, 32)
		if err != nil {
			return 0, nil
		}
		if i == 0 {
			generation = int32(n)
		} else {
			numbers = append(numbers, int32(n))
		}
	}
	return generation, numbers
}
