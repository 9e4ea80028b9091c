package cases

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"fintrans/bench/measure"
	"fintrans/bench/peers"
	"fintrans/bench/records"
	"fintrans/bench/report"
	"fintrans/bench/scene"
	"fintrans/bench/stats"
)

// mostPoints bounds a set for InfluxDB: at one transaction each millisecond it is within the retention of an hour. With
// half as many a run of ours lasts 1.2 s, and what its beginning and its end take shows in the figures.
const mostPoints = 1_000_000

func pointSet(s *scene.Scene) records.Set {
	n := min(s.Records, mostPoints)
	return records.Set{Count: n, Sources: 1000, Targets: 1000, Newest: time.Now(), Span: time.Duration(n) * time.Millisecond}
}

// ingestion is a Kafka with a set, an InfluxDB, and what was found in it after each run.
type ingestion struct {
	scene  *scene.Scene
	kafka  *scene.Kafka
	influx scene.Influx
	set    records.Set
	errors map[string][]float64 // points too many, or too few, by contestant
}

// ingestCase compares influx-ingest with Telegraf and with InfluxDB's own ceiling.
func ingestCase(ctx context.Context, s *scene.Scene) (Outcome, error) {
	server, err := s.Influx(ctx)
	if err != nil {
		return Outcome{}, err
	}
	defer server.Close()
	i := &ingestion{scene: s, influx: scene.Influx{URL: server.URL()}, set: pointSet(s), errors: map[string][]float64{}}
	if i.kafka, err = warm(ctx, s, i.set); err != nil {
		return Outcome{}, err
	}
	defer i.kafka.Close()
	app, err := s.App(scene.Ingest)
	if err != nil {
		return Outcome{}, err
	}
	prepared := peers.Prepare(i.set)
	ceiling := func(ctx context.Context, database string) (measure.Figures, error) {
		if err := i.influx.CreateDatabase(ctx, database); err != nil {
			return measure.Figures{}, err
		}
		return prepared.Send(ctx, i.influx.URL, database)
	}
	if _, err := i.contestant("warm-up of InfluxDB", ceiling).run(ctx); err != nil {
		return Outcome{}, err
	}
	const recordTime, processingTime = "Telegraf, time of the record", "Telegraf, time of processing"
	list := []contestant{
		i.contestant("influx-ingest", i.ours()),
		i.contestant(recordTime, i.telegraf(peers.RecordTime)),
		i.contestant(processingTime, i.telegraf(peers.ProcessingTime)),
		i.contestant("prepared lines", ceiling),
		i.contestant("influx-ingest, GOMEMLIMIT of its app", i.ours(app.Environment...)),
	}
	c, err := compare(ctx, s, list...)
	if err != nil {
		return Outcome{}, err
	}
	killed := report.Table{Header: []string{"killed (-9) in mid-stream and started again", "points too many or too few, of " + records.Grouped(i.set.Count)}}
	for n, start := range []starter{i.startOurs(), i.startTelegraf(peers.RecordTime), i.startTelegraf(peers.ProcessingTime)} {
		wrong, err := i.killed(ctx, start)
		if err != nil {
			return Outcome{}, err
		}
		killed.Add(list[n].name, fmt.Sprintf("%+d", wrong))
	}
	return i.outcome(c, killed, app.Memory), nil
}

func (i *ingestion) outcome(c *comparison, killed report.Table, limit int64) Outcome {
	held := report.Table{Header: []string{"points that InfluxDB holds in the end", "too many or too few, of " + records.Grouped(i.set.Count)}}
	for _, who := range c.contestants {
		held.Add(who.name, report.Each(i.errors[who.name], func(n float64) string { return fmt.Sprintf("%+.0f", n) }))
	}
	// Against the better of Telegraf's modes, and round by round.
	telegraf := larger(c.values(1, speed), c.values(2, speed))
	ceiling := c.values(3, speed)
	var wanted []float64
	for round := range telegraf {
		wanted = append(wanted, min(3.5*telegraf[round], 0.75*ceiling[round]))
	}
	return Outcome{
		Section: report.Section{
			Title: "influx-ingest",
			Text: fmt.Sprintf("%s at 1,000 per second, from topics that are full into an\n"+
				"InfluxDB 1.8 on the same cores. Telegraf has batches of 5,000 points, may hold 20,000 and writes one after the other.\n"+
				"The prepared lines are the same points in line protocol, sent by a loop that does nothing else.", i.set),
			Tables: append(c.tables(), held, killed),
		},
		Targets: []report.Target{
			atMost("influx-ingest, CPU-seconds per million", "Telegraf", 1.0/8, max(c.ratio(1, cost), c.ratio(2, cost)), report.Ratio),
			atLeast("influx-ingest, transactions/s", fmt.Sprintf("the smaller of 3.5 x Telegraf (%s) and 0.75 x prepared lines (%s)",
				report.Count(3.5*stats.Of(telegraf).Median), report.Count(0.75*stats.Of(ceiling).Median)), 1,
				stats.Of(stats.Ratios(c.values(0, speed), wanted)).Median),
			atMost("influx-ingest, peak memory", "Telegraf", 0.25, max(c.ratio(1, memory), c.ratio(2, memory)), report.Ratio),
			atMost("influx-ingest, peak memory in MB", "limit of the Marathon app", float64(limit)/1e6,
				stats.Of(c.values(4, memory)).Max/1e6, report.Count),
		},
	}
}

// larger are the larger ones of two rows of values.
func larger(a, b []float64) []float64 {
	list := slices.Clone(a)
	for i := range list {
		list[i] = max(list[i], b[i])
	}
	return list
}

// contestant counts, after each run, what InfluxDB holds.
func (i *ingestion) contestant(name string, run func(ctx context.Context, database string) (measure.Figures, error)) contestant {
	return contestant{name, func(ctx context.Context) (measure.Figures, error) {
		ctx, cancel := context.WithTimeoutCause(ctx, 10*time.Minute, fmt.Errorf("%s was too slow", name))
		defer cancel()
		database := i.scene.Name("bench")
		figures, err := run(ctx, database)
		if err != nil {
			return figures, err
		}
		points, err := i.influx.Points(ctx, database)
		if err != nil {
			return figures, err
		}
		i.errors[name] = append(i.errors[name], float64(points-i.set.Count))
		return figures, i.influx.DropDatabase(ctx, database)
	}}
}

// starter starts a consumer that writes into a database.
type starter func(ctx context.Context, group, database string) (*measure.Process, error)

func (i *ingestion) startOurs(settings ...string) starter {
	return func(_ context.Context, group, database string) (*measure.Process, error) {
		return i.scene.Start(scene.Ingest, nil, append([]string{"BROKER=" + i.kafka.Broker(), "KAFKA_GROUP=" + group,
			"INFLUX_API=" + i.influx.URL, "INFLUX_TARGET_DB=" + database}, settings...)...)
	}
}

func (i *ingestion) startTelegraf(from string) starter {
	return func(ctx context.Context, group, database string) (*measure.Process, error) {
		return peers.Telegraf{
			Broker: i.kafka.Broker(), Group: group, Influx: i.influx.URL, Database: database, TimestampFrom: from,
		}.Start(ctx, i.scene)
	}
}

func (i *ingestion) ours(settings ...string) func(context.Context, string) (measure.Figures, error) {
	return func(ctx context.Context, database string) (measure.Figures, error) {
		return i.measure(ctx, i.startOurs(settings...), database)
	}
}

func (i *ingestion) telegraf(from string) func(context.Context, string) (measure.Figures, error) {
	return func(ctx context.Context, database string) (measure.Figures, error) {
		return i.measure(ctx, i.startTelegraf(from), database)
	}
}

// measure runs a consumer until InfluxDB has accepted as many points as there are records.
func (i *ingestion) measure(ctx context.Context, start starter, database string) (measure.Figures, error) {
	if err := i.influx.CreateDatabase(ctx, database); err != nil {
		return measure.Figures{}, err
	}
	progress, err := i.influx.Since(ctx)
	if err != nil {
		return measure.Figures{}, err
	}
	p, err := start(ctx, i.scene.Name("bench"), database)
	if err != nil {
		return measure.Figures{}, err
	}
	defer p.Stop(grace)
	return measure.Run(ctx, []*measure.Process{p}, i.set.Count, progress)
}

// killed runs a consumer, kills it in mid-stream, starts it again, and returns how many points too many or too few
// there are when its group has committed everything.
func (i *ingestion) killed(ctx context.Context, start starter) (int64, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 10*time.Minute, errors.New("the consumer was too slow after its kill"))
	defer cancel()
	database, group := i.scene.Name("bench"), i.scene.Name("bench")
	i.scene.Say("  killing a consumer in mid-stream")
	if err := i.influx.CreateDatabase(ctx, database); err != nil {
		return 0, err
	}
	progress, err := i.influx.Since(ctx)
	if err != nil {
		return 0, err
	}
	first, err := start(ctx, group, database)
	if err != nil {
		return 0, err
	}
	_, err = measure.Run(ctx, []*measure.Process{first}, i.set.Count/2, progress)
	first.Kill()
	if err != nil {
		return 0, err
	}
	second, err := start(ctx, group, database)
	if err != nil {
		return 0, err
	}
	defer second.Stop(grace)
	if err := i.kafka.AwaitCommitted(ctx, group, i.set.Count); err != nil {
		return 0, second.Failure(err)
	}
	points, err := i.influx.Points(ctx, database)
	if err != nil {
		return 0, err
	}
	return points - i.set.Count, i.influx.DropDatabase(ctx, database)
}
