// Command laundering-detector adds up what each account sends to each other
// account, over all five cities, and prints an alert when the sum within a
// sliding window exceeds a threshold. Standard output carries alerts alone.
package main

import (
	"context"

	"fintrans/internal/consume"
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
	defer func() { _ = clients.Probe.Close() }()

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
		defer d.publisher.close()
	}

	report, err := newReporter(cfg, rt)
	if err != nil {
		clients.Close()
		return err
	}
	if report != nil {
		reported := make(chan struct{})
		reporting, end := context.WithCancel(background)
		go func() {
			defer close(reported)
			report.run(reporting)
		}()
		defer func() {
			end()
			<-reported
		}()
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
