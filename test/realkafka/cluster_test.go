package realkafka

import (
	"testing"
)

func TestRestart(t *testing.T) {
	t.Parallel()
	c, err := Start(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	addrs := c.Addrs()
	for name, end := range map[string]func(...int) error{"stop": c.Stop, "kill": c.Kill} {
		if err := end(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := c.Up(t.Context()); err != nil {
			t.Fatalf("up after %s: %v", name, err)
		}
	}
	if got := c.Addrs(); got[0] != addrs[0] {
		t.Errorf("addresses = %v after restarts, want %v", got, addrs)
	}
}
