package transaction

import (
	"bytes"
	"hash/fnv"
	"math"
	"os/exec"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("9", 1<<20)
	tests := []struct {
		name   string
		value  []byte
		want   Transaction
		reason Reason
	}{
		{"the article's example", []byte("396 465 6789"), Transaction{396, 465, 6789}, None},
		{"zeros", []byte("0 0 0"), Transaction{}, None},
		{"largest", []byte("4294967295 4294967295 4294967295"), Transaction{math.MaxUint32, math.MaxUint32, math.MaxUint32}, None},
		{"leading zeros are the same number", []byte("007 08 0000000000000000000009"), Transaction{7, 8, 9}, None},
		{"tombstone", nil, Transaction{}, Tombstone},
		{"empty", []byte{}, Transaction{}, Empty},
		{"one field", []byte("396"), Transaction{}, Fields},
		{"two fields", []byte("396 465"), Transaction{}, Fields},
		{"four fields", []byte("1 2 3 4"), Transaction{}, Fields},
		{"two spaces", []byte("1  2 3"), Transaction{}, Fields},
		{"leading space", []byte(" 1 2 3"), Transaction{}, Fields},
		{"trailing space", []byte("1 2 3 "), Transaction{}, Fields},
		{"only spaces", []byte("  "), Transaction{}, Fields},
		{"tab", []byte("1\t2\t3"), Transaction{}, Fields},
		{"negative amount", []byte("1 2 -3"), Transaction{}, Negative},
		{"negative overflow", []byte("1 2 -99999999999"), Transaction{}, Negative},
		{"only a sign", []byte("1 2 -"), Transaction{}, NotANumber},
		{"two signs", []byte("1 2 --3"), Transaction{}, NotANumber},
		{"plus sign", []byte("1 2 +3"), Transaction{}, NotANumber},
		{"fraction", []byte("1 2 3.5"), Transaction{}, NotANumber},
		{"exponent", []byte("1 2 1e3"), Transaction{}, NotANumber},
		{"hexadecimal", []byte("1 2 0x10"), Transaction{}, NotANumber},
		{"line feed", []byte("1 2 3\n"), Transaction{}, NotANumber},
		{"NUL", []byte("1 2 3\x00"), Transaction{}, NotANumber},
		{"other digits", []byte("1 2 \u0663"), Transaction{}, NotANumber},
		{"words", []byte("one two three"), Transaction{}, NotANumber},
		{"digits, then noise", []byte("1 2 99999999999x"), Transaction{}, NotANumber},
		{"2^32", []byte("1 2 4294967296"), Transaction{}, Overflow},
		{"2^64 + 1", []byte("18446744073709551617 2 3"), Transaction{}, Overflow},
		{"a megabyte of digits", []byte("1 2 " + long), Transaction{}, Overflow},
		{"megabytes of signs", []byte("1 2 " + strings.Repeat("-", 16<<20)), Transaction{}, NotANumber},
		{"a megabyte of noise", bytes.Repeat([]byte{0xff}, 1<<20), Transaction{}, Fields},
		{"a megabyte of spaces", bytes.Repeat([]byte{' '}, 1<<20), Transaction{}, Fields},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, reason := Parse(tt.value)
			if got != tt.want || reason != tt.reason {
				t.Errorf("got %v, %v; want %v, %v", got, reason, tt.want, tt.reason)
			}
		})
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	const latest = 1_000_000
	tests := []struct {
		name   string
		value  string
		millis int64
		want   Reason
	}{
		{"now", "1 2 3", latest, None},
		{"1970", "1 2 3", 0, None},
		{"no timestamp", "1 2 3", -1, NoTimestamp},
		{"a millisecond too far ahead", "1 2 3", latest + 1, Ahead},
		{"bad value before bad time", "1 2", -1, Fields},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, reason := Judge([]byte(tt.value), tt.millis, latest)
			if reason != tt.want {
				t.Errorf("got %v, want %v", reason, tt.want)
			}
			if reason != None && got != (Transaction{}) {
				t.Errorf("got money from a bad record: %v", got)
			}
		})
	}
}

func TestReasonsAreNamedAndExplained(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, r := range Reasons() {
		if r.String() == "" || seen[r.String()] || r.Help() == "" {
			t.Errorf("reason %d: name %q, help %q", r, r, r.Help())
		}
		seen[r.String()] = true
	}
	if len(seen) != len(reasonNames)-1 {
		t.Errorf("Reasons lists %d of %d", len(seen), len(reasonNames)-1)
	}
}

func TestPairAndKey(t *testing.T) {
	t.Parallel()
	pair := Transaction{Source: 516, Target: 482, Amount: 1}.Pair()
	if pair.Source() != 516 || pair.Target() != 482 {
		t.Errorf("got %d -> %d", pair.Source(), pair.Target())
	}
	if got := string(pair.AppendKey([]byte("x"))); got != "x516 482" {
		t.Errorf("got key %q", got)
	}
	if PairOf(1, 2) == PairOf(2, 1) {
		t.Error("a pair has a direction")
	}
}

// The hash is the standard library's; sarama's own partitioner is compared in internal/kafka.
func TestPartitionIsFNV1a(t *testing.T) {
	t.Parallel()
	for n := range uint32(5000) {
		key := PairOf(n, n*7).AppendKey(nil)
		h := fnv.New32a()
		h.Write(key)
		want := int32(h.Sum32()) % 6
		if want < 0 {
			want = -want
		}
		if got := Partition(key, 6); got != want {
			t.Fatalf("key %q: got %d, want %d", key, got, want)
		}
	}
}

func TestParseDoesNotAllocate(t *testing.T) { // alone: AllocsPerRun counts the whole process
	value := []byte("396 465 6789")
	buf := make([]byte, 0, 64)
	var sum uint32
	if n := testing.AllocsPerRun(100, func() {
		tr, _ := Parse(value)
		buf = tr.AppendValue(buf[:0])
		sum += tr.Amount
	}); n != 0 {
		t.Errorf("%v allocations for a record", n)
	}
}

// The pure rooms stay pure: what they import is the standard library, and
// neither the network nor a clock's users are among it.
func TestPureRoomsImportTheStandardLibraryAlone(t *testing.T) {
	t.Parallel()
	for _, room := range []string{"fintrans/internal/transaction", "fintrans/internal/window"} {
		out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", room).CombinedOutput()
		if err != nil {
			t.Fatalf("go list: %v\n%s", err, out)
		}
		for _, path := range strings.Fields(string(out)) {
			if path != room {
				t.Errorf("%s imports %s; it may import the standard library alone", room, path)
			}
		}
		out, err = exec.Command("go", "list", "-f", `{{join .Imports "\n"}}`, room).CombinedOutput()
		if err != nil {
			t.Fatalf("go list: %v\n%s", err, out)
		}
		for _, path := range strings.Fields(string(out)) {
			if path == "time" || path == "net" || path == "os" || strings.HasPrefix(path, "net/") || strings.HasPrefix(path, "log") {
				t.Errorf("%s imports %s: a pure room takes no clock, no network and no log", room, path)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "396 465 6789", "1 2 -3", "1  2 3", "007 8 9", "4294967296 1 1", "1 2 3\n", "1 2 3 4"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		got, reason := Parse(value)
		if reason != None {
			if got != (Transaction{}) {
				t.Fatalf("%q: refused as %v, yet gave %v", value, reason, got)
			}
			return
		}
		encoded := got.AppendValue(nil)
		again, reason := Parse(encoded)
		if reason != None || again != got {
			t.Fatalf("%q parsed to %v, which encodes to %q and parses to %v, %v", value, got, encoded, again, reason)
		}
		if !bytes.HasPrefix(encoded, append(got.Pair().AppendKey(nil), ' ')) {
			t.Fatalf("value %q does not begin with the key", encoded)
		}
		if p := Partition(got.Pair().AppendKey(nil), 6); p < 0 || p > 5 {
			t.Fatalf("partition %d of 6", p)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	value := []byte("396 465 6789")
	b.ReportAllocs()
	for b.Loop() {
		if _, reason := Parse(value); reason != None {
			b.Fatal(reason)
		}
	}
}
