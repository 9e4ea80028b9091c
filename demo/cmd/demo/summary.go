package main

import (
	"fmt"
	"strings"
	"time"

	"fintrans/demo/ledger"
	"fintrans/demo/score"
	"fintrans/demo/show"
	"fintrans/internal/transaction"
)

// pastHour is the table of what InfluxDB has.
func pastHour(averages map[string]ledger.Average, now time.Time) []string {
	rows := [][]string{{"city", "transactions", "average", "total"}}
	var all ledger.Volume
	for _, city := range transaction.Cities() {
		a := averages[city]
		rows = append(rows, []string{city, show.Number(a.Count), dollars(a.Mean), show.Number(a.Sum)})
		all = ledger.Volume{Count: all.Count + a.Count, Sum: all.Sum + a.Sum}
	}
	mean := 0.0
	if all.Count > 0 {
		mean = float64(all.Sum) / float64(all.Count)
	}
	rows = append(rows, []string{"all", show.Number(all.Count), dollars(mean), show.Number(all.Sum)})
	return append([]string{"the past hour in dollars, from InfluxDB at " + now.Format("15:04:05")}, show.Columns(rows)...)
}

func dollars(amount float64) string { return fmt.Sprintf("%.2f", amount) }

// summary is what a run comes to.
type summary struct {
	ran          time.Duration
	own          bool // others may have written to the topics
	acknowledged int64
	records      []ledger.Record // that were appended
	bad          int             // records among them that are no transactions
	behind       ledger.Position
	account      *ledger.Account
	unread       error // of InfluxDB, which could not be asked
	score        score.Score
}

// lines are the summary in words.
func (s summary) lines() []string {
	rows := [][]string{{"city", "appended", "in dollars", "points in InfluxDB", "in dollars"}}
	var stored ledger.Volume
	for _, city := range transaction.Cities() {
		rows = append(rows, row(city, s.account.Appended(city), s.account.Stored(city)))
		stored.Count += s.account.Stored(city).Count
		stored.Sum += s.account.Stored(city).Sum
	}
	rows = append(rows, row("all", s.account.Total(), stored))
	lines := append([]string{fmt.Sprintf("summary of %v", s.ran.Round(time.Second))}, show.Columns(rows)...)
	if older := s.account.Older(); older.Count > 0 {
		lines = append(lines, "of these older than what InfluxDB keeps: "+show.Number(older.Count))
	}
	if s.bad > 0 {
		lines = append(lines, "further records, which are no transactions: "+show.Number(int64(s.bad)))
	}
	lines = append(lines, "acknowledged by the generator: "+show.Number(s.acknowledged)+s.lost())
	return append(lines, s.score.Lines()...)
}

func row(city string, appended, stored ledger.Volume) []string {
	return []string{city, show.Number(appended.Count), show.Number(appended.Sum), show.Number(stored.Count), show.Number(stored.Sum)}
}

// lost explains why more was appended than was acknowledged.
func (s summary) lost() string {
	more := s.account.Total().Count - s.acknowledged
	switch {
	case more <= 0:
		return ""
	case s.own:
		return fmt.Sprintf("; %s stored by others, or acknowledgement lost", show.Number(more))
	}
	return fmt.Sprintf("; %s stored, acknowledgement lost", show.Number(more))
}

// complaints are what must not be.
func (s summary) complaints() []string {
	var complaints []string
	if s.unread != nil {
		complaints = append(complaints, fmt.Sprintf("the points could not be counted: %v", s.unread))
	} else {
		complaints = append(complaints, s.account.Differences()...)
	}
	if appended := s.account.Total().Count; s.acknowledged > appended {
		complaints = append(complaints, fmt.Sprintf("the generator counts %d transactions as acknowledged, but only %d are in the topics", s.acknowledged, appended))
	}
	return append(complaints, s.score.Complaints()...)
}

// plain is the line of an alert without the colours that a detector gives it for a terminal.
func plain(line string) string {
	return strings.NewReplacer("\x1b[1;31m", "", "\x1b[0m", "").Replace(line)
}
