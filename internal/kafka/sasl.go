package kafka

import (
	"crypto/sha256"
	"crypto/sha512"
	"hash"

	"github.com/IBM/sarama"
	"github.com/xdg-go/scram"
)

// scramHashes are the hash functions of the SCRAM mechanisms.
var scramHashes = map[sarama.SASLMechanism]func() hash.Hash{
	sarama.SASLTypeSCRAMSHA256: sha256.New,
	sarama.SASLTypeSCRAMSHA512: sha512.New,
}

// scramClient is one SCRAM exchange with a broker, as sarama wants it.
type scramClient struct {
	hash         scram.HashGeneratorFcn
	conversation *scram.ClientConversation
}

func (c *scramClient) Begin(user, password, authzID string) error {
	client, err := c.hash.NewClient(user, password, authzID)
	if err != nil {
		return err
	}
	c.conversation = client.NewConversation()
	return nil
}

func (c *scramClient) Step(challenge string) (string, error) { return c.conversation.Step(challenge) }
func (c *scramClient) Done() bool                            { return c.conversation.Done() }
