package harness_test

import (
	"slices"
	"testing"

	"fintrans/demo/harness"
)

func TestTry(t *testing.T) {
	t.Parallel()
	var cleaned []int
	got := harness.Try(t, func(t testing.TB) {
		t.Cleanup(func() {
			if !t.Failed() {
				t.Error("a cleanup does not see that the case has failed")
			}
			cleaned = append(cleaned, 1)
		})
		t.Cleanup(func() { cleaned = append(cleaned, 2) })
		t.Errorf("one is %d", 1)
		t.Fatal("two")
		t.Error("a case goes on after Fatal")
	})
	if want := []string{"one is 1", "two"}; !slices.Equal(got, want) {
		t.Errorf("failures %q, want %q", got, want)
	}
	if want := []int{2, 1}; !slices.Equal(cleaned, want) {
		t.Errorf("cleanups ran in the order %v, want %v", cleaned, want)
	}
	if got := harness.Try(t, func(testing.TB) {}); len(got) > 0 {
		t.Errorf("a case that passes failed with %q", got)
	}
}
