package harness_test

import (
	"strings"
	"testing"

	"fintrans/demo/harness"
)

func TestMutantIsAnotherProgram(t *testing.T) {
	t.Parallel()
	dir := harness.Mutant(t, "laundering-detector",
		harness.Mutation{File: "laundering-detector/main.go", Old: `Name:        name,`, New: `Name:        "one",`},
		harness.Mutation{File: "laundering-detector/main.go", Old: `Name:        "one",`, New: `Name:        "mutant",`},
	)
	p := harness.Start(t, "laundering-detector", nil, harness.Options{Binaries: dir, Args: []string{"--version"}})
	if status := p.Wait(); status != 0 {
		t.Errorf("exit status %d, want 0", status)
	}
	if got := strings.Join(p.Stdout(), "\n"); !strings.HasPrefix(got, "mutant ") {
		t.Errorf("--version prints %q, want the name of the mutant", got)
	}
}

func TestMutantNeedsItsText(t *testing.T) {
	t.Parallel()
	failures := harness.Try(t, func(t testing.TB) {
		harness.Mutant(t, "laundering-detector", harness.Mutation{File: "laundering-detector/main.go", Old: "no such text"})
	})
	if len(failures) != 1 || !strings.Contains(failures[0], "laundering-detector/main.go has this text 0 times") {
		t.Errorf("failures %q, want one that names the file", failures)
	}
}
