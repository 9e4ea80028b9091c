package kafka

import "testing"

func TestIdentityReplaces(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		now, before Identity
		want        bool
	}{
		{"c/1", "c/1", false},
		{"c/2", "c/1", true},
		{"c/2", "", false},    // committed by a service that did not know, or on an old broker
		{"", "c/1", false},    // an old broker
		{"d/2", "c/1", false}, // the offsets were copied from another cluster
		{"/2", "/1", true},    // a cluster that has no name
	} {
		if got := test.now.Replaces(test.before); got != test.want {
			t.Errorf("%q after %q: got %v", test.now, test.before, got)
		}
	}
}
