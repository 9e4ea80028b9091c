package realkafka

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// knows asks the broker for the cluster's metadata and fails unless it lists this many brokers.
func (b *broker) knows(ctx context.Context, brokers int) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(b.addr()))
	if err != nil {
		return err
	}
	defer client.Close()
	answer, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, client.SeedBrokers()[0])
	if err != nil {
		return err
	}
	if len(answer.Brokers) != brokers {
		return fmt.Errorf("%s knows %d brokers, want %d", b.name(), len(answer.Brokers), brokers)
	}
	return nil
}
