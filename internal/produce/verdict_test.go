package produce

import (
	"errors"
	"testing"

	"github.com/IBM/sarama"
)

// What an answer means, and whether the batch may have been written all the same.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		answer   sarama.KError
		want     verdict
		doubtful bool
		inDoubt  verdict // after an attempt without an answer
	}{
		{sarama.ErrNoError, written, false, written},
		{sarama.ErrDuplicateSequenceNumber, written, false, written},
		{sarama.ErrInvalidMessage, again, false, again},
		{sarama.ErrUnknownTopicOrPartition, again, true, again},
		{sarama.ErrLeaderNotAvailable, again, true, again},
		{sarama.ErrNotLeaderForPartition, again, true, again},
		{sarama.ErrFencedLeaderEpoch, again, true, again},
		{sarama.ErrNotEnoughReplicas, again, false, again},
		{sarama.ErrTopicAuthorizationFailed, again, false, again},
		{sarama.ErrClusterAuthorizationFailed, again, false, again},
		{sarama.ErrThrottlingQuotaExceeded, again, true, again},
		{sarama.ErrRequestTimedOut, again, true, again},
		{sarama.ErrNotEnoughReplicasAfterAppend, again, true, again},
		{sarama.ErrKafkaStorageError, again, true, again},
		{sarama.ErrNetworkException, again, true, again},
		{sarama.ErrUnknown, again, true, again},
		{sarama.ErrOutOfOrderSequenceNumber, afresh, false, abandoned},
		{sarama.ErrUnknownProducerID, afresh, false, abandoned},
		{sarama.ErrInvalidProducerEpoch, afresh, false, abandoned},
		{sarama.ErrProducerFenced, afresh, false, abandoned},
		{sarama.ErrInvalidProducerIDMapping, afresh, false, abandoned},
		{sarama.ErrMessageSizeTooLarge, abandoned, false, abandoned},
		{sarama.ErrMessageSetSizeTooLarge, abandoned, false, abandoned},
		{sarama.ErrInvalidTimestamp, abandoned, false, abandoned},
		{sarama.ErrInvalidRecord, abandoned, false, abandoned},
		{sarama.ErrPolicyViolation, abandoned, false, abandoned},
		{sarama.ErrInvalidTopic, abandoned, false, abandoned},
		{sarama.ErrUnsupportedForMessageFormat, abandoned, false, abandoned},
	} {
		answer := &sarama.ProduceResponse{}
		answer.AddTopicPartition("SF", 3, test.answer)
		for _, before := range []bool{false, true} {
			b := &Batch{Name: "SF", Partition: 3, doubtful: before}
			want := test.want
			if before {
				want = test.inDoubt
			}
			got, why := b.judge(answer, nil)
			if got != want || b.doubtful != (before || test.doubtful) || (why == nil) != (want == written) || why != nil && !errors.Is(why, test.answer) {
				t.Errorf("%v, in doubt %v: got %d because of %v, in doubt %v; want %d", test.answer, before, got, why, b.doubtful, want)
			}
		}
	}
}

func TestVerdictsWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer   *sarama.ProduceResponse
		err      error
		want     verdict
		doubtful bool
	}{
		"broken connection":         {nil, errBroken, again, true},
		"an answer about others":    {&sarama.ProduceResponse{}, nil, again, true},
		"what cannot be encoded":    {nil, sarama.PacketEncodingError{Info: "too large"}, abandoned, false},
		"an answer of no use":       {nil, sarama.PacketDecodingError{Info: "length"}, again, true},
		"a release that is too old": {nil, sarama.ErrUnsupportedVersion, again, true},
	} {
		b := &Batch{Name: "SF", Partition: 3}
		if got, why := b.judge(test.answer, test.err); got != test.want || why == nil || b.doubtful != test.doubtful {
			t.Errorf("%s: got %d because of %v, in doubt %v; want %d", name, got, why, b.doubtful, test.want)
		}
	}
}
