package realkafka

import (
	"errors"
	"maps"
	"testing"
)

func TestFurtherListeners(t *testing.T) {
	t.Parallel()
	b := &broker{id: 1, port: 20001, controller: 20002, dir: "dir"}
	plain := kraft(b, []*broker{b})
	if got := withListeners(b, maps.Clone(plain)); !maps.Equal(got, plain) {
		t.Errorf("%v without further listeners, want %v", got, plain)
	}
	advertise := func(name string, broker int, addr string) (string, error) {
		if name != "INGEST" || broker != 1 || addr != "127.0.0.1:20003" {
			t.Errorf("asked for %s of broker %d at %s", name, broker, addr)
		}
		return "127.0.0.1:20004", nil
	}
	if err := b.listen(Listeners{Names: []string{"INGEST"}, Advertise: advertise}, []int{20003}); err != nil {
		t.Fatal(err)
	}
	got := withListeners(b, maps.Clone(plain))
	for name, want := range map[string]string{
		"listeners":                      "PLAINTEXT://127.0.0.1:20001,CONTROLLER://127.0.0.1:20002,INGEST://127.0.0.1:20003",
		"advertised.listeners":           "PLAINTEXT://127.0.0.1:20001,INGEST://127.0.0.1:20004",
		"listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,INGEST:PLAINTEXT",
		"inter.broker.listener.name":     "PLAINTEXT",
	} {
		if got[name] != want {
			t.Errorf("%s=%s, want %s", name, got[name], want)
		}
	}
	c := &Cluster{brokers: []*broker{b}}
	if addrs := c.AddrsOf("INGEST"); len(addrs) != 1 || addrs[0] != "127.0.0.1:20004" {
		t.Errorf("clients are told %v, want what is advertised", addrs)
	}
	failing := func(string, int, string) (string, error) { return "", errors.New("no port") }
	if err := b.listen(Listeners{Names: []string{"DETECTOR"}, Advertise: failing}, []int{20005}); err == nil {
		t.Error("an address that is not there was advertised")
	}
}
