package kafka

import (
	"context"
	"errors"
	"time"

	"github.com/IBM/sarama"
	"github.com/sirupsen/logrus"

	"fintrans/internal/backoff"
)

// complainEvery is how often a failure that lasts is logged again.
const complainEvery = 30 * time.Second

// persistRetry are the pauses of Persist.
var persistRetry = backoff.Bounds{First: 250 * time.Millisecond, Max: 10 * time.Second}

// Connect returns a client as soon as one of the brokers answers. Until then it
// tries again, for ever, with growing pauses, and says in plain words what is
// wrong. A wrong password does not end it either, since somebody may be about to
// put it right. It fails only when cfg is not valid, or with ctx's error when ctx
// ends. The caller closes the client.
func Connect(ctx context.Context, s Settings, cfg *sarama.Config, log logrus.FieldLogger, tick func()) (sarama.Client, error) {
	brokers := []string(s.Broker)
	trouble := Trouble{
		Log: log.WithField("brokers", brokers), Config: cfg,
		Failing: "Kafka cannot be reached, trying again", Settled: "Kafka is reached",
	}
	saramaLog.use(log)
	return Persist(ctx, trouble, tick, closeClient, func() (sarama.Client, error) { return newClient(brokers, cfg) })
}

// Trouble says how the failures of something that is tried again are logged: at
// the first, whenever the reason changes, every 30 s, and at the end of them.
type Trouble struct {
	Log     logrus.FieldLogger
	Config  *sarama.Config // for the reason in plain words
	Failing string         // what is logged with each reason
	Settled string         // what is logged when it works after all
	// Status, where it is not nil, is called with the reason at each failure: for /ready.
	Status func(reason string)
}

// Persist calls attempt, which may block, until it succeeds, with growing pauses
// of up to 10 s. It fails with a sarama.ConfigurationError, which would not pass,
// and with ctx's error when ctx ends; what an abandoned attempt still brings
// goes to abandon, if that is not nil.
func Persist[T any](ctx context.Context, trouble Trouble, tick func(), abandon func(T), attempt func() (T, error)) (T, error) {
	var zero T
	complaints := complaints{Trouble: trouble}
	for failures := 1; ; failures++ {
		value, err := Await(ctx, tick, abandon, attempt)
		var invalid sarama.ConfigurationError
		switch {
		case err == nil:
			complaints.settled()
			return value, nil
		case ctx.Err() != nil:
			return zero, ctx.Err()
		case errors.As(err, &invalid):
			return zero, err
		}
		reason := Explain(err, trouble.Config)
		complaints.add(reason)
		if trouble.Status != nil {
			trouble.Status(reason)
		}
		if err := pause(ctx, persistRetry.Pause(failures), tick); err != nil {
			return zero, err
		}
	}
}

// newClient is sarama.NewClient with the reason when no broker can be used:
// sarama keeps some to itself, such as those of SASL.
func newClient(addresses []string, cfg *sarama.Config) (sarama.Client, error) {
	client, err := sarama.NewClient(addresses, cfg)
	if err == nil || !errors.Is(err, sarama.ErrOutOfBrokers) || errors.Unwrap(err) != nil {
		return client, err
	}
	for _, address := range addresses {
		broker := sarama.NewBroker(address)
		if openErr := broker.Open(cfg); openErr != nil {
			return nil, openErr
		}
		if connected, reason := broker.Connected(); connected {
			_ = broker.Close()
		} else if reason != nil {
			return nil, reason
		}
	}
	return nil, err
}

func closeClient(client sarama.Client) { _ = client.Close() }

// complaints logs a failure that repeats at a bearable rate.
type complaints struct {
	Trouble
	reason string
	since  time.Time
	logged time.Time
}

// add notes one more failure for the given reason.
func (c *complaints) add(reason string) {
	now := time.Now()
	if c.since.IsZero() {
		c.since = now
	}
	if reason == c.reason && now.Sub(c.logged) < complainEvery {
		return
	}
	c.reason, c.logged = reason, now
	log := c.Log.WithField("reason", reason)
	if lasts := now.Sub(c.since).Round(time.Second); lasts > 0 {
		log = log.WithField("for", lasts.String())
	}
	log.Warn(c.Failing)
}

// settled ends a series of failures; it is silent when there were none.
func (c *complaints) settled() {
	if !c.since.IsZero() {
		c.Log.WithField("after", time.Since(c.since).Round(time.Millisecond).String()).Info(c.Settled)
	}
}
