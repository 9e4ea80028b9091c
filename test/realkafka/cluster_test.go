package realkafka

import (
	"testing"
)

// TestRestart ends a broker of each generation, orderly and not, and has it back.
func TestRestart(t *testing.T) {
	t.Parallel()
	for _, generation := range []Generation{Kafka4, Kafka39, Kafka24} {
		t.Run(generation.String(), func(t *testing.T) {
			t.Parallel()
			restart(t, generation)
		})
	}
}

func restart(t *testing.T, generation Generation) {
	t.Helper()
	c, err := Start(t.Context(), Options{Generation: generation})
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
