// Command laundering-detector adds up what each account sends to each other
// account, over all five cities, and prints an alert when the sum within a
// sliding window exceeds a threshold. Standard output carries alerts alone.
package main

import (
	"context"
	"io"

	"fintrans/internal/consume"
	"fintrans/internal/kafka"
	"fintrans/internal/service"
	"fintrans/internal/transaction"
)

const (
	name   = "laundering-detector"
	prefix = "laundering_detector"
)

func main() {
	service.Main(service.App[config]{
		Name:        name,
		Description: "Alerts on standard output when the volume from one account to another exceeds a threshold.",
		Serve:       serve,
	})
}

func serve(ctx context.Context, cfg config, rt *service.Runtime) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	clients, err := connect(ctx, cfg, rt)
	if err != nil {
		return ended(ctx, err)
	}
	return detect(ctx, stop, cfg, rt, clients)
}

// detect judges until ctx ends, which stop may bring about, and drains. It closes the clients.
func detect(ctx context.Context, stop context.CancelCauseFunc, cfg config, rt *service.Runtime, clients consume.Clients) error {
	closing := []io.Closer{clients.Probe}
	defer func() { kafka.CloseSoon(closing...) }()
	d, err := newDetector(cfg, rt, clients.Probe)
	if err != nil {
		clients.Close()
		return err
	}
	background, release := context.WithCancel(context.WithoutCancel(ctx))
	defer release()
	go d.guard.Run(background, rt)
	go d.printer.run(background, func(err error) { stop(err) })
	if d.publisher != nil {
		d.publisher.start(ctx, d.topics)
		closing = append(closing, d.publisher)
	}

	report, err := newReporter(cfg, rt)
	if err != nil {
		clients.Close()
		return err
	}
	if report != nil {
		report.start(background)
		closing = append(closing, report)
	}

	g, err := consume.New(consume.Config{
		Group:   string(cfg.KafkaGroup),
		Topics:  transaction.Cities(),
		Prefix:  prefix,
		Runtime: rt,
		Clients: clients,
	})
	if err != nil {
		clients.Close()
		return err
	}
	d.group = g
	err = g.Run(ctx, d)
	if cause := d.printer.failure(); cause != nil {
		return cause
	}
	if err == nil {
		err = d.unprinted()
	}
	if err == nil {
		err = d.unpublished()
	}
	return err
}
