package produce

import (
	"errors"
	"fmt"

	"github.com/IBM/sarama"
)

// verdict is what an answer means for a batch.
type verdict int

const (
	written   verdict = iota // it is in Kafka, once
	again                    // it is to be sent again as it is: a broker that has it recognises it
	afresh                   // it is not in Kafka, and its number is of no use: it is to be sent under a fresh producer id
	abandoned                // nobody can tell, or it will never be taken
)

// judge says what becomes of a batch after an attempt, and why. The answer is
// that of the leader, or err why there is none.
//
// Repeating is always exact: as long as a batch keeps its number, a broker that
// has it says so. What has to be known before the number is given up is whether
// an earlier attempt may have been written. It was not when the leader has
// refused to.
func (b *Batch) judge(answer *sarama.ProduceResponse, err error) (verdict, error) {
	if err == nil {
		if block := answer.GetBlock(b.Name, b.Partition); block != nil {
			return b.judgeAnswer(block.Err)
		}
		err = sarama.ErrIncompleteResponse
	}
	var unencodable sarama.PacketEncodingError
	if errors.As(err, &unencodable) {
		return abandoned, err
	}
	b.doubtful = true
	return again, err
}

func (b *Batch) judgeAnswer(err sarama.KError) (verdict, error) {
	switch err {
	case sarama.ErrNoError, sarama.ErrDuplicateSequenceNumber:
		return written, nil
	case sarama.ErrOutOfOrderSequenceNumber, sarama.ErrUnknownProducerID, sarama.ErrInvalidProducerEpoch, sarama.ErrProducerFenced,
		sarama.ErrInvalidProducerIDMapping:
		// The leader does not know what came before: its log was cut short, or deleted. If the batch was
		// there, too, it may have been read by then.
		if b.doubtful {
			return abandoned, fmt.Errorf("%w after an attempt of which nobody knows whether it was written", err)
		}
		return afresh, err
	case sarama.ErrMessageSizeTooLarge, sarama.ErrMessageSetSizeTooLarge, sarama.ErrInvalidTimestamp, sarama.ErrInvalidRecord,
		sarama.ErrUnsupportedForMessageFormat, sarama.ErrPolicyViolation, sarama.ErrInvalidTopic, sarama.ErrInvalidRequiredAcks:
		return abandoned, err // it is the batch that is wrong: repeating does not change it
	case sarama.ErrNotEnoughReplicas, sarama.ErrInvalidMessage, sarama.ErrTopicAuthorizationFailed, sarama.ErrClusterAuthorizationFailed:
		return again, err // said before anything is written
	}
	// All else may be said of a batch that was written: that the replicas do not follow in time, or that the
	// leader has lost its office while it waited for them.
	b.doubtful = true
	return again, err
}
