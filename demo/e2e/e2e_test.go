// Package e2e_test runs all end-to-end cases on the embedded servers.
package e2e_test

import (
	"os"
	"slices"
	"testing"

	"fintrans/demo/cases"
	"fintrans/demo/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

func TestEmbedded(t *testing.T) {
	t.Parallel()
	cases.Run(t, harness.Embedded, slices.Concat(cases.All(), cases.EmbeddedOnly()))
}
