package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	client "github.com/influxdata/influxdb1-client/v2"
	"github.com/sirupsen/logrus"

	"fintrans/internal/kafka"
	"fintrans/internal/service"
)

// policy is a retention policy that we want.
type policy struct {
	name     string
	duration time.Duration
	shard    time.Duration
	standard bool // the one that is used where none is named
}

var (
	hourPolicy  = policy{name: "hour", duration: time.Hour, shard: time.Hour, standard: true}
	monthPolicy = policy{name: "month", duration: 30 * 24 * time.Hour, shard: 24 * time.Hour}
)

// clauses is the end of the statements that make or change the policy.
func (p policy) clauses() string {
	text := fmt.Sprintf("DURATION %s REPLICATION 1 SHARD DURATION %s", hours(p.duration), hours(p.shard))
	if p.standard {
		text += " DEFAULT"
	}
	return text
}

// hours is a duration as InfluxQL writes it.
func hours(d time.Duration) string { return fmt.Sprintf("%dh", int(d.Hours())) }

// schema makes the database and its retention policies, at the start and again
// when somebody has dropped them. It is safe for concurrent use.
type schema struct {
	db       string
	api      string
	client   client.Client
	log      logrus.FieldLogger
	throttle *service.Throttle

	mu   sync.Mutex // held by the one that makes them
	made atomic.Int64
}

func newSchema(cfg config, log logrus.FieldLogger) (*schema, error) {
	secure, err := cfg.influxTLS()
	if err != nil {
		return nil, err
	}
	c, err := client.NewHTTPClient(client.HTTPConfig{
		Addr:      string(cfg.InfluxAPI),
		Username:  cfg.InfluxUser,
		Password:  cfg.InfluxPassword.Reveal(),
		UserAgent: "fintrans-" + name + "/" + service.CurrentBuild().Version,
		Timeout:   postTimeout,
		TLSConfig: secure,
		Proxy:     http.ProxyFromEnvironment,
	})
	if err != nil {
		return nil, fmt.Errorf("INFLUX_API: %w", err)
	}
	return &schema{
		db:       cfg.InfluxTargetDB,
		api:      string(cfg.InfluxAPI),
		client:   c,
		log:      log,
		throttle: service.NewThrottle(time.Minute),
	}, nil
}

func (s *schema) close() { _ = s.client.Close() }

// generation counts how often the schema was made; 0: not yet.
func (s *schema) generation() int64 { return s.made.Load() }

// ensure tries once to make what is missing, unless that was done since the
// generation that the caller has seen. Where this user may not do it, it says so
// and returns nil: the database may well be there, the next write will tell.
func (s *schema) ensure(ctx context.Context, seen int64, tick func()) error {
	_, err := kafka.Await(ctx, tick, nil, func() (struct{}, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.generation() != seen || ctx.Err() != nil {
			return struct{}{}, ctx.Err()
		}
		err := s.apply()
		if err == nil {
			s.made.Add(1)
		}
		return struct{}{}, err
	})
	return err
}

// apply looks at what is there and makes or changes what differs.
func (s *schema) apply() error {
	found, err := s.policies()
	if isMissing(err) {
		create := fmt.Sprintf("CREATE DATABASE %s WITH DURATION %s REPLICATION 1 SHARD DURATION %s NAME %s",
			quote(s.db), hours(hourPolicy.duration), hours(hourPolicy.shard), quote(hourPolicy.name))
		if err = s.execute("database created", create); err == nil {
			found, err = s.policies()
		}
	}
	for _, want := range []policy{hourPolicy, monthPolicy} {
		if err == nil {
			err = s.settle(want, found)
		}
	}
	if isForbidden(err) {
		if _, ok := s.throttle.Allow("forbidden"); ok {
			s.log.WithError(err).Warnf("this user may not look after database %q: an administrator has to make it, with the policies %s and %s",
				s.db, hourPolicy.name, monthPolicy.name)
		}
		return nil
	}
	return err
}

// settle makes one policy what it should be.
func (s *schema) settle(want policy, found map[string]policy) error {
	have, ok := found[want.name]
	switch {
	case !ok:
		return s.execute("retention policy created",
			fmt.Sprintf("CREATE RETENTION POLICY %s ON %s %s", quote(want.name), quote(s.db), want.clauses()))
	case have.duration != want.duration || have.shard != want.shard || want.standard && !have.standard:
		return s.execute("retention policy changed",
			fmt.Sprintf("ALTER RETENTION POLICY %s ON %s %s", quote(want.name), quote(s.db), want.clauses()))
	}
	return nil
}

func (s *schema) execute(done, statement string) error {
	if _, err := s.query(statement, ""); err != nil {
		return err
	}
	s.log.WithField("statement", statement).Info(done)
	return nil
}

// query runs one statement. Its error names the server.
func (s *schema) query(statement, db string) (*client.Response, error) {
	response, err := s.client.Query(client.NewQuery(statement, db, ""))
	if err == nil {
		err = response.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("%s at %s: %w", statement, s.api, err)
	}
	return response, nil
}

// policies returns the retention policies that the database has.
func (s *schema) policies() (map[string]policy, error) {
	response, err := s.query("SHOW RETENTION POLICIES ON "+quote(s.db), s.db)
	if err != nil {
		return nil, err
	}
	found := map[string]policy{}
	for _, result := range response.Results {
		for _, series := range result.Series {
			for _, row := range series.Values {
				p, err := readPolicy(series.Columns, row)
				if err != nil {
					return nil, fmt.Errorf("retention policies at %s: %w", s.api, err)
				}
				found[p.name] = p
			}
		}
	}
	return found, nil
}

// readPolicy reads one row of SHOW RETENTION POLICIES.
func readPolicy(columns []string, row []any) (policy, error) {
	var p policy
	var err error
	for i, column := range columns {
		if i >= len(row) {
			return p, fmt.Errorf("a row has %d columns, expected %d", len(row), len(columns))
		}
		switch column {
		case "name":
			p.name, _ = row[i].(string)
		case "duration":
			p.duration, err = readDuration(row[i])
		case "shardGroupDuration":
			p.shard, err = readDuration(row[i])
		case "default":
			p.standard, _ = row[i].(bool)
		}
		if err != nil {
			return p, fmt.Errorf("column %s: %w", column, err)
		}
	}
	return p, nil
}

func readDuration(value any) (time.Duration, error) {
	switch v := value.(type) {
	case string:
		return time.ParseDuration(v)
	case json.Number: // ns
		n, err := v.Int64()
		return time.Duration(n), err
	}
	return 0, errors.New("is no duration")
}

// quote makes an identifier of InfluxQL.
func quote(name string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(name) + `"`
}

// said is what the server has answered, without the statement and the address around it, which may contain any
// word; empty where it has not answered.
func said(err error) string {
	var unanswered *url.Error
	if err == nil || errors.As(err, &unanswered) {
		return ""
	}
	if answer := errors.Unwrap(err); answer != nil {
		return answer.Error()
	}
	return err.Error()
}

func isMissing(err error) bool { return strings.Contains(said(err), "database not found") }

// isForbidden goes by the text: the client loses the status.
func isForbidden(err error) bool {
	if isMissing(err) {
		return false // the answer names the database
	}
	for _, text := range []string{"authoriz", "authenticat", "status code 401", "status code 403", "status: 401", "status: 403"} {
		if strings.Contains(said(err), text) {
			return true
		}
	}
	return false
}
