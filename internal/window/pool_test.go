package window

import "testing"

// A block has next to no room that is not needed, and a pair that grows does not move with each record.
func TestBlocksAreAsLargeAsNeeded(t *testing.T) {
	t.Parallel()
	moves := 0
	for n := 1; n <= 1<<16; n++ {
		size := classSlots(sizeClass(n))
		if spare := size - n; spare < 0 || spare > max(1, n/16) {
			t.Errorf("a block for %d slots has %d", n, size)
		}
		if n > 1 && sizeClass(n) != sizeClass(n-1) {
			moves++
			if sizeClass(n) < sizeClass(n-1) {
				t.Errorf("%d slots have class %d, one less has %d", n, sizeClass(n), sizeClass(n-1))
			}
		}
		if n == 32 && moves > n/2 {
			t.Errorf("a pair with %d records has moved %d times", n, moves)
		}
	}
	if got := classSlots(sizeClass(1)); got != 1 {
		t.Errorf("a single record takes %d slots", got)
	}
}
