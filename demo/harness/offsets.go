package harness

import (
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// Offsets are offsets by topic and partition.
type Offsets map[string]map[int32]int64

// EndOffsets returns where the next record of each partition of the topics will be. It waits until
// the brokers know the topics.
func (s *System) EndOffsets(topics ...string) Offsets {
	s.t.Helper()
	ctx, cancel := s.context()
	defer cancel()
	ends := Offsets{}
	Eventually(s.t, func() (bool, string) {
		listed, err := s.topic.admin.ListEndOffsets(ctx, topics...)
		if err == nil {
			err = listed.Error()
		}
		if err != nil {
			return false, fmt.Sprintf("end offsets of %v: %v", topics, err)
		}
		listed.Each(func(o kadm.ListedOffset) { ends.set(o.Topic, o.Partition, o.Offset) })
		return true, ""
	})
	return ends
}

// Committed returns the offsets that a group has committed; none for a group that does not exist. It waits until the
// brokers can tell: those that have just been started make the topic of offsets first.
func (s *System) Committed(group string) Offsets {
	s.t.Helper()
	ctx, cancel := s.context()
	defer cancel()
	committed := Offsets{}
	Eventually(s.t, func() (bool, string) {
		fetched, err := s.topic.admin.FetchOffsets(ctx, group)
		if err == nil {
			err = fetched.Error()
		}
		if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
			return false, fmt.Sprintf("committed offsets of %s: %v", group, err)
		}
		fetched.Each(func(o kadm.OffsetResponse) { committed.set(o.Topic, o.Partition, o.At) })
		return true, ""
	})
	return committed
}

// Coordinators returns the brokers that coordinate the groups. It waits until there are some.
func (s *System) Coordinators(groups ...string) []int32 {
	s.t.Helper()
	ctx, cancel := s.context()
	defer cancel()
	var brokers []int32
	Eventually(s.t, func() (bool, string) {
		found := s.topic.admin.FindGroupCoordinators(ctx, groups...)
		brokers = nil
		for _, coordinator := range found {
			brokers = append(brokers, coordinator.NodeID)
		}
		return found.Error() == nil, fmt.Sprintf("coordinators of %v: %v", groups, found.Error())
	})
	return brokers
}

// AwaitMembers waits until the group is settled with this many members.
func (s *System) AwaitMembers(group string, members int) {
	s.t.Helper()
	ctx, cancel := s.context()
	defer cancel()
	Eventually(s.t, func() (bool, string) {
		described, err := s.topic.admin.DescribeGroups(ctx, group)
		if err == nil {
			err = described.Error()
		}
		found := described[group]
		return err == nil && found.State == "Stable" && len(found.Members) == members,
			fmt.Sprintf("group %s is %s with %d members, want Stable with %d: %v", group, found.State, len(found.Members), members, err)
	})
}

// AwaitCommitted waits until the group has committed all that is in the topics at the time of the call.
func (s *System) AwaitCommitted(group string, topics ...string) {
	s.t.Helper()
	ends := s.EndOffsets(topics...)
	Eventually(s.t, func() (bool, string) {
		committed := s.Committed(group)
		for topic, partitions := range ends {
			for partition, end := range partitions {
				if at, ok := committed[topic][partition]; end > 0 && (!ok || at < end) {
					return false, fmt.Sprintf("group %s has committed %d of %d in %s/%d", group, at, end, topic, partition)
				}
			}
		}
		return true, ""
	})
}

func (o Offsets) set(topic string, partition int32, offset int64) {
	if o[topic] == nil {
		o[topic] = map[int32]int64{}
	}
	o[topic][partition] = offset
}
