package chaos

import (
	"slices"
	"strings"
	"testing"

	"fintrans/demo/ledger"
	"fintrans/demo/oracle"
)

// ms is a time, in milliseconds since 1970.
const ms = int64(1_800_000_000_000)

var rule = oracle.Rule{Threshold: 100, Window: 1000}

func record(offset, at int64, source, amount uint32) ledger.Record {
	return ledger.Record{
		City: "SF", Partition: int32(source), Offset: offset,
		Transfer: oracle.Transfer{Source: source, Target: 9, Amount: amount, At: ms + at},
	}
}

// ofRing makes the record one of the transfers of a planted ring.
func ofRing(r ledger.Record, transfers int) ledger.Record {
	r.Ring, r.RingTransfers = 1, transfers
	return r
}

// Transfers of a ring may be alike by chance: one of them is there twice only if there are more than the ring has.
func TestTransfersOfARingThatAreAlike(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		transfers, want int
	}{{4, 0}, {3, 0}, {2, 1}} {
		records := []ledger.Record{
			ofRing(record(0, 0, 1, 4227), test.transfers), ofRing(record(1, 0, 1, 3475), test.transfers), ofRing(record(2, 0, 1, 4227), test.transfers),
		}
		if got := appendedTwice(records); len(got) != test.want {
			t.Errorf("%d records of a ring of %d transfers: %d are there twice, want %d", len(records), test.transfers, len(got), test.want)
		}
	}
}

// sound is a run in which all went well: account 1 has two episodes, account 2 none. The alert of the first episode
// came again.
func sound() Evidence {
	e := Evidence{
		Rule: rule,
		Records: []ledger.Record{
			record(0, 0, 1, 60), record(1, 100, 1, 60), record(2, 5000, 1, 101), record(0, 0, 2, 60), record(1, 2000, 2, 60),
		},
		Acknowledged: 4,
		Published: []ledger.Alert{
			{Alert: alert(1, 120), Trigger: ledger.Trigger{City: "SF", Partition: 1, Offset: 1}},
			{Alert: alert(1, 101), Trigger: ledger.Trigger{City: "SF", Partition: 1, Offset: 2}},
		},
		Lines: []oracle.Alert{alert(1, 120), alert(1, 120), alert(1, 101)},
	}
	e.Stored = slices.Clone(e.Published)
	e.Account = ledger.NewAccount(ledger.Position{}, ledger.Position{"SF": {1: 3, 2: 2}}, 0)
	for _, r := range e.Records {
		e.Account.Expect(r)
	}
	e.find(e.Records)
	return e
}

func alert(source uint32, total uint64) oracle.Alert {
	return oracle.Alert{Pair: oracle.Pair{Source: source, Target: 9}, Total: total}
}

// find is what InfluxDB has.
func (e *Evidence) find(records []ledger.Record) {
	e.Account.Recount()
	for _, r := range records {
		e.Account.Find(ledger.Point{City: r.City, Partition: r.Partition, Nanos: r.At*1_000_000 + r.Offset, Amount: int64(r.Amount)})
	}
}

func TestSoundRun(t *testing.T) {
	t.Parallel()
	v := Judge(sound())
	if len(v.Broken) > 0 {
		t.Errorf("broken: %q", v.Broken)
	}
	if v.Transactions != 5 || v.Lost != 0 || v.Duplicated != 0 || v.Episodes != 2 {
		t.Errorf("%+v, want 5 transactions and 2 episodes", v)
	}
	if want := (Alerts{Found: 3, Repeated: 1}); v.Lines != want {
		t.Errorf("lines %+v, want %+v", v.Lines, want)
	}
	if want := (Alerts{Found: 2}); v.Published != want {
		t.Errorf("published %+v, want %+v", v.Published, want)
	}
}

// TestOrderlyRun has nothing befall the services but SIGTERM.
func TestOrderlyRun(t *testing.T) {
	t.Parallel()
	e := sound()
	e.Orderly, e.Acknowledged, e.Lines = true, 5, e.Lines[1:]
	if v := Judge(e); len(v.Broken) > 0 {
		t.Errorf("broken: %q", v.Broken)
	}
	for kind, want := range map[Kind]bool{Terminate: true, Roll: true, Scale: true, Kill: false, Freeze: false, BrokerRoll: false, NetSlow: false} {
		if got := orderly([]Fault{{Kind: Terminate}, {Kind: kind}}); got != want {
			t.Errorf("%s: orderly is %v, want %v", kind, got, want)
		}
	}
}

// TestBrokenPromisesAreSeen breaks each promise alone.
func TestBrokenPromisesAreSeen(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		breaks func(*Evidence)
		says   string
		counts func(Verdict) bool
	}{
		{
			"a point is lost", func(e *Evidence) { e.find(e.Records[1:]) },
			"InfluxDB has 4 points", func(v Verdict) bool { return v.Lost == 1 && v.Duplicated == 0 },
		},
		{
			"a point is there twice", func(e *Evidence) { e.find(append([]ledger.Record{record(1, 7, 1, 60)}, e.Records...)) },
			"no record stands for", func(v Verdict) bool { return v.Lost == 0 && v.Duplicated == 1 },
		},
		{
			"a point has another amount", func(e *Evidence) { e.find(append([]ledger.Record{record(0, 0, 1, 61)}, e.Records[1:]...)) },
			"is worth $61", func(v Verdict) bool { return v.Lost == 0 },
		},
		{
			"an alert is missing on stdout", func(e *Evidence) { e.Lines = e.Lines[:1] },
			"on stdout: 1 -> 9: 1 alerts for 2 episodes", func(v Verdict) bool { return v.Lines.Missing == 1 },
		},
		{
			"all alerts are missing in the topic", func(e *Evidence) { e.Published, e.Stored = nil, nil },
			"published: 1 -> 9: 0 alerts for 2 episodes", func(v Verdict) bool { return v.Published.Missing == 2 },
		},
		{
			"an alert is outside an episode", func(e *Evidence) { e.Lines = append(e.Lines, alert(2, 120)) },
			"on stdout: 2 -> 9: an alert totals 120", func(v Verdict) bool { return v.Lines.Outside == 1 },
		},
		{
			"an alert is of nobody", func(e *Evidence) { e.Lines = append(e.Lines, alert(3, 120)) },
			"on stdout: 3 -> 9: an alert totals 120", func(v Verdict) bool { return v.Lines.Outside == 1 },
		},
		{
			"a total is too large", func(e *Evidence) { e.Lines[0].Total++ },
			"an alert totals 121", func(v Verdict) bool { return v.Lines.Outside == 1 },
		},
		{
			"a published alert is not stored", func(e *Evidence) { e.Stored = e.Stored[1:] },
			"does not have 1 of the 2", func(v Verdict) bool { return v.Unstored == 1 },
		},
		{
			"a stored alert was not published", func(e *Evidence) { e.Published = append(e.Published, e.Published[0]); e.Stored[1].Offset = 0 },
			"has 1 alerts that were not published", func(v Verdict) bool { return v.Unpublished == 1 && v.Published.Repeated == 1 },
		},
		{
			"a stored alert is there twice", func(e *Evidence) { e.Stored = append(e.Stored, e.Stored[0]) },
			"has 1 alerts twice", func(Verdict) bool { return true },
		},
		{
			"a transaction was appended twice", func(e *Evidence) {
				r := record(3, 0, 1, 60)
				e.Records = append(e.Records, r)
				e.Account.Expect(r)
				e.find(e.Records)
			},
			"is in the topics twice", func(v Verdict) bool { return v.AppendedTwice == 1 },
		},
		{
			"more is acknowledged than appended", func(e *Evidence) { e.Acknowledged = 6 },
			"counts 6 transactions as acknowledged, and 5 are", func(Verdict) bool { return true },
		},
		{
			"a record is none", func(e *Evidence) { e.Bad = 1 },
			"1 records in the topics are no transactions", func(Verdict) bool { return true },
		},
		{
			"a pair is scattered", func(e *Evidence) { e.Records[4].Partition = 3 },
			"are in the partition numbers [2 3]", func(Verdict) bool { return true },
		},
		{
			"a line is repeated without a fault", func(e *Evidence) { e.Orderly, e.Acknowledged = true, 5 },
			"2 were published, 0 of them again, and there are 3 lines", func(v Verdict) bool { return v.Lines.Repeated == 1 },
		},
		{
			"an alert is published again without a fault", func(e *Evidence) {
				e.Orderly, e.Acknowledged, e.Lines = true, 5, e.Lines[1:]
				e.Published = append(e.Published, e.Published[0])
			},
			"3 were published, 1 of them again, and there are 2 lines", func(v Verdict) bool { return v.Published.Repeated == 1 },
		},
		{
			"a transaction is in the topics that the generator does not know of", func(e *Evidence) { e.Orderly, e.Lines = true, e.Lines[1:] },
			"counts 4 transactions as acknowledged, and 5 are", func(Verdict) bool { return true },
		},
		{
			"a service ended by itself", func(e *Evidence) { e.Complaints = []string{"influx-ingest 1 ended by itself"} },
			"ended by itself", func(Verdict) bool { return true },
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e := sound()
			test.breaks(&e)
			v := Judge(e)
			if said := strings.Join(v.Broken, "\n"); !strings.Contains(said, test.says) {
				t.Errorf("broken: %q, want %q", said, test.says)
			}
			if !test.counts(v) {
				t.Errorf("counted %+v", v)
			}
		})
	}
}

// TestGrownTopics sees that what is in different partition numbers is not added up where the topics have grown.
func TestGrownTopics(t *testing.T) {
	t.Parallel()
	e := Evidence{Rule: rule, Grown: true, Records: []ledger.Record{record(0, 0, 1, 60), record(0, 100, 1, 60)}}
	e.Records[1].Partition = 6
	e.Account = ledger.NewAccount(ledger.Position{}, ledger.Position{"SF": {1: 1, 6: 1}}, 0)
	for _, r := range e.Records {
		e.Account.Expect(r)
	}
	e.find(e.Records)
	if v := Judge(e); len(v.Broken) > 0 || v.Episodes != 0 {
		t.Errorf("%d episodes, broken: %q, want nothing of both", v.Episodes, v.Broken)
	}
	e.Lines = []oracle.Alert{alert(1, 120)}
	if v := Judge(e); v.Lines.Outside != 1 {
		t.Errorf("%+v, want an alert outside an episode", v.Lines)
	}
}
