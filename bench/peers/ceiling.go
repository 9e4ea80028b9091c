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

// Prepare writes a set as the points that influx-ingest makes of it. A POST has points of one series as far as
// there are enough, which is what InfluxDB takes fastest.
func Prepare(set records.Set) *Prepared {
	p := &Prepared{}
	cities := transaction.Cities()
	series := make([]lines, len(cities)*records.Partitions)
	_ = set.Each(func(city int, t transaction.Transaction, millis int64) error { // the function below never fails
		partition := transaction.Partition(t.Pair().AppendKey(nil), records.Partitions)
		s := &series[city*records.Partitions+int(partition)]
		s.text = fmt.Appendf(s.text, "transactions,city=%s,partition=%d amount=%di,source=%di,target=%di %d%06d\n",
			cities[city], partition, t.Amount, t.Source, t.Target, millis, s.offset%1_000_000)
		s.offset++
		p.points++
		if s.offset%linesPerPost == 0 {
			p.bodies = append(p.bodies, bytes.Clone(s.text))
			s.text = s.text[:0]
		}
		return nil
	})
	var rest []byte
	for _, s := range series {
		rest = append(rest, s.text...)
	}
	return p.add(rest)
}

// lines are those of a series that are in no body yet.
type lines struct {
	text   []byte
	offset int64 // of the next record in its partition
}

// add appends bodies of what is left over.
func (p *Prepared) add(rest []byte) *Prepared {
	for len(rest) > 0 {
		end := 0
		for range linesPerPost {
			end += bytes.IndexByte(rest[end:], '\n') + 1
		}
		p.bodies = append(p.bodies, rest[:end])
		rest = rest[end:]
	}
	return p
}

// poster keeps as many connections as it uses.
var poster = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: posters}}

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
	answer, err := poster.Do(request)
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
