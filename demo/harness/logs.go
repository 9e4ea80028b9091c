package harness

import (
	"github.com/twmb/franz-go/pkg/kadm"
)

// CreateTopicsWith creates topics with this number of partitions and configurations.
func (s *System) CreateTopicsWith(partitions int32, configs map[string]string, topics ...string) {
	s.t.Helper()
	ctx, cancel := s.context()
	defer cancel()
	entries := map[string]*string{}
	for name, value := range configs {
		entries[name] = &value
	}
	created, err := s.topic.admin.CreateTopics(ctx, partitions, -1, entries, topics...)
	if err == nil {
		err = created.Error()
	}
	if err != nil {
		s.t.Fatalf("create topics %v with %v: %v", topics, configs, err)
	}
}

// DeleteRecords deletes the records below the offsets, as retention does.
func (s *System) DeleteRecords(below Offsets) {
	s.t.Helper()
	ctx, cancel := s.context()
	defer cancel()
	var offsets kadm.Offsets
	for topic, partitions := range below {
		for partition, at := range partitions {
			offsets.Add(kadm.Offset{Topic: topic, Partition: partition, At: at})
		}
	}
	deleted, err := s.topic.admin.DeleteRecords(ctx, offsets)
	if err == nil {
		err = deleted.Error()
	}
	if err != nil {
		s.t.Fatalf("delete the records below %v: %v", below, err)
	}
}
