// Command generator sends random transactions to the topics of the five cities,
// among them planted rings of transfers that add up to a laundered sum.
//
// Each transfer of a ring carries two record headers, which only tests and
// scoring read: `ring`, the ring's number in decimal, counted from 1, and
// `ring-transfers`, how many transfers the whole ring has.
package main

import (
	"context"
	"errors"

	"fintrans/internal/service"
)

// name is the program's, and what it calls itself to Kafka.
const name = "generator"

func main() {
	service.Main(service.App[config]{
		Name:        name,
		Description: "Sends random transactions to the topics of the five cities, with planted rings of money laundering among them.",
		Serve:       serve,
	})
}

func serve(ctx context.Context, cfg config, rt *service.Runtime) error {
	link, err := connect(ctx, cfg, rt)
	if errors.Is(err, context.Canceled) {
		return nil // called off before anything was sent
	}
	if err != nil {
		return err
	}
	g := newGenerator(cfg, link.producer, link.explain, rt)
	err = g.run(ctx)
	g.logSummary()
	link.close()
	return err
}
