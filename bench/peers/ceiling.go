package peers

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"fintrans/bench/measure"
	"fintrans/bench/records"
	"fintrans/internal/transaction"
)

const (
	linesPerPost = 5000
	posters      = 8
)

// Prepared is a set as line protocol, ready to be sent.
type Prepared struct {
	bodies [][]byte
	points int64
}

// Prepare writes a set as the points that influx-ingest makes of it.
func Prepare(set records.Set) *Prepared {
	p := &Prepared{}
	var body []byte
	cities, inBody := transaction.Cities(), 0
	flush := func() {
		if inBody > 0 {
			p.bodies = append(p.bodies, bytes.Clone(body))
			body, inBody = body[:0], 0
		}
	}
	_ = set.Each(func(city int, t transaction.Transaction, millis int64) error { // the function below never fails
		partition := transaction.Partition(t.Pair().AppendKey(nil), records.Partitions)
		body = fmt.Appendf(body, "transactions,city=%s,partition=%d amount=%di,source=%di,target=%di %d%06d\n",
			cities[city], partition, t.Amount, t.Source, t.Target, millis, p.points%1_000_000)
		p.points++
		if inBody++; inBody == linesPerPost {
			flush()
		}
		return nil
	})
	flush()
	return p
}

// Send posts everything to a database by a loop that does nothing else: what InfluxDB takes at most.
func (p *Prepared) Send(ctx context.Context, influx, database string) (measure.Figures, error) {
	next := make(chan []byte)
	group, ctx := errgroup.WithContext(ctx)
	start := time.Now()
	for range posters {
		group.Go(func() error {
			for body := range next {
				if err := post(ctx, influx+"/write?precision=ns&rp=hour&db="+database, body); err != nil {
					return err
				}
			}
			return nil
		})
	}
	group.Go(func() error {
		defer close(next)
		for _, body := range p.bodies {
			select {
			case next <- body:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		return nil
	})
	err := group.Wait()
	return measure.Figures{Records: p.points, Elapsed: time.Since(start)}, err
}

func post(ctx context.Context, address string, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusNoContent {
		err = fmt.Errorf("InfluxDB answers %s to prepared points: %s", strconv.Itoa(answer.StatusCode), text)
	}
	return err
}
