package kafka

import (
	"errors"
	"testing"

	"github.com/IBM/sarama"
)

func TestNumbersProducers(t *testing.T) {
	t.Parallel()
	for _, want := range []sarama.KError{sarama.ErrNoError, sarama.ErrClusterAuthorizationFailed, sarama.ErrConsumerCoordinatorNotAvailable} {
		broker := newBroker(t, "127.0.0.1:0", nil, handlers{
			"InitProducerIDRequest": sarama.NewMockInitProducerIDResponse(t).SetError(want),
		})
		err := NumbersProducers(connectTo(t, broker))
		if want == sarama.ErrNoError && err != nil || want != sarama.ErrNoError && !errors.Is(err, want) {
			t.Errorf("got error %v, want %v", err, want)
		}
	}
}
